"""PyTorch on a GPU as a peer of bench/gpu.sh: pytorch_gpu.py MODEL BATCH [--train] [--amp DTYPE]
[--allow-tf32] [--compile] [--runs N]

Channels last, cuDNN's engines chosen by timing them. --train times forward, the mean squares of the
outputs, backward and Adam's step in its fused form, as `limber bench --train` does; without it
forward alone. Prints the median of a run in milliseconds.
"""
import argparse
import contextlib
import statistics
import time

import torch

from models import MODELS

options = argparse.ArgumentParser()
options.add_argument("model", choices=MODELS)
options.add_argument("batch", type=int)
options.add_argument("--train", action="store_true")
options.add_argument("--amp", choices=["f16", "bf16"])
options.add_argument("--allow-tf32", action="store_true")
options.add_argument("--compile", action="store_true")
options.add_argument("--runs", type=int, default=20)
a = options.parse_args()

# PyTorch's own setting is TF32 for convolutions and f32 for products.
torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = a.allow_tf32
torch.backends.cudnn.benchmark = True
model = MODELS[a.model]().cuda().to(memory_format=torch.channels_last).train(a.train)
if a.compile:
    model = torch.compile(model)
x = torch.randn(a.batch, 3, 256, 192, device="cuda").to(memory_format=torch.channels_last)
low = {"f16": torch.float16, "bf16": torch.bfloat16, None: None}[a.amp]
torch.set_grad_enabled(a.train)
optimizer = torch.optim.Adam(model.parameters(), 1e-4, fused=True) if a.train else None


def run():
    with torch.autocast("cuda", low) if low else contextlib.nullcontext():
        y = model(x)
        if a.train:
            loss = sum(part.square().mean() for part in (y if isinstance(y, tuple) else (y,)))
    if a.train:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    torch.cuda.synchronize()


for _ in range(5):  # compilation and the choice of algorithms
    run()
times = []
for _ in range(a.runs):
    begin = time.perf_counter()
    run()
    times.append((time.perf_counter() - begin) * 1e3)
print(statistics.median(times))
