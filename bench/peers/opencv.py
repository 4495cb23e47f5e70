"""OpenCV's dnn module as a peer of bench/compare: opencv.py MODEL.onnx BATCH THREADS FOLDER

The protocol is that of ort.js.
"""
import json
import sys
import time

import cv2
import numpy as np

model, _, threads, folder = sys.argv[1:5]
cv2.setNumThreads(int(threads))
shape = json.load(open(folder + "/input.json"))["shape"]
x = np.fromfile(folder + "/input.raw", np.float32).reshape(shape)
net = cv2.dnn.readNetFromONNX(model)
net.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)
names = net.getUnconnectedOutLayersNames()
blob = x


def run():
    net.setInput(blob)
    return net.forward(names)


try:  # whichever layout the file was exported with
    outputs = run()
except cv2.error:
    blob = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    outputs = run()
np.concatenate([np.ravel(y) for y in outputs]).astype(np.float32).tofile(folder + "/peer.raw")
json.dump({"shapes": [y.shape for y in outputs]}, open(folder + "/peer.json", "w"))
print("ready", cv2.__version__, flush=True)
for _ in sys.stdin:
    begin = time.perf_counter()
    run()
    print((time.perf_counter() - begin) * 1e3, flush=True)
