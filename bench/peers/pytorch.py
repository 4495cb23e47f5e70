"""PyTorch as a peer of bench/compare: pytorch.py MODEL BATCH THREADS FOLDER [--train]

The protocol is that of ort.js; FOLDER holds model.safetensors too, this project's weights. With
--train a run is one training step: forward, mean squared error, backward, Adam.
"""
import json
import struct
import sys
import time

import numpy as np
import torch

from models import MODELS

name, _, threads, folder = sys.argv[1:5]
train = "--train" in sys.argv
torch.set_num_threads(int(threads))
torch.set_grad_enabled(train)


def weights(path):
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    for key, row in json.loads(data[8:8 + size]).items():
        if key != "__metadata__" and row["dtype"] == "F32":
            begin, end = row["data_offsets"]
            numbers = np.frombuffer(data[8 + size + begin:8 + size + end], np.float32)
            yield key, torch.from_numpy(numbers.reshape(row["shape"]).copy())


if name not in MODELS:
    sys.exit(f"no definition of {name}")
model = MODELS[name]()
own = model.state_dict()
missing = set(own) - {key for key in own if key.endswith("num_batches_tracked")}
with torch.no_grad():
    for key, value in weights(folder + "/model.safetensors"):
        if key in own:
            own[key].copy_(value)
            missing.discard(key)
if missing:
    sys.exit(f"not in model.safetensors: {sorted(missing)[:5]} and so on, {len(missing)} in all")
model.train(train)

shape = json.load(open(folder + "/input.json"))["shape"]
x = torch.from_numpy(np.fromfile(folder + "/input.raw", np.float32).reshape(shape))
x = x.permute(0, 3, 1, 2).contiguous()
if train:
    optimizer = torch.optim.Adam(model.parameters(), 1e-4)
elif "--eager" not in sys.argv:
    model = torch.jit.freeze(torch.jit.trace(model.eval(), x))
    model = torch.jit.optimize_for_inference(model)


def run():
    if not train:
        return model(x)
    optimizer.zero_grad()
    y = model(x)
    loss = sum(part.square().mean() for part in (y if isinstance(y, tuple) else (y,)))
    loss.backward()
    optimizer.step()
    return y


outputs = run()
outputs = outputs if isinstance(outputs, tuple) else (outputs,)
arrays = [y.detach().contiguous().numpy() for y in outputs]
np.concatenate([y.ravel() for y in arrays]).tofile(folder + "/peer.raw")
json.dump({"shapes": [y.shape for y in arrays]}, open(folder + "/peer.json", "w"))
print("ready", torch.__version__, flush=True)
for _ in sys.stdin:
    begin = time.perf_counter()
    run()
    print((time.perf_counter() - begin) * 1e3, flush=True)
