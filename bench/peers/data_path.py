"""What Python code on OpenCV and NumPy reaches in making training samples of a top-down model, in
one thread: data_path.py DATA SECONDS. Prints the samples/s of rounds of one second.

DATA is a folder of `limber synth`: annotations/train.json and train/. A sample is what the config
that bench/compare_host times makes: decode, box, flip, half body, scale and rotation, crop to
192 x 256, Gaussian heat maps of 48 x 64.
"""
import json
import math
import sys
import time

import cv2
import numpy as np

WIDTH, HEIGHT, STRIDE, SIGMA = 192, 256, 4, 2
FLIPPED = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
UPPER = list(range(11))

cv2.setNumThreads(0)
folder, seconds = sys.argv[1], float(sys.argv[2])
data = json.load(open(folder + "/annotations/train.json"))
names = {image["id"]: image["file_name"] for image in data["images"]}
random = np.random.default_rng(0)


def half_body(points, seen):
    chosen = [k for k in range(17) if seen[k] and (k in UPPER) == (random.random() < 0.7)]
    if len(chosen) < 2:
        return None
    low, high = points[chosen].min(0), points[chosen].max(0)
    return (low + high) / 2, (high - low) * 1.5


def affine(center, scale, degrees):
    angle = math.radians(degrees)
    across = np.array([math.cos(angle), math.sin(angle)], np.float32) * scale[0] / 2
    down = np.array([-across[1], across[0]], np.float32)
    return cv2.getAffineTransform(
        np.float32([center, center + across, center + down]),
        np.float32([[WIDTH / 2, HEIGHT / 2], [WIDTH, HEIGHT / 2], [WIDTH / 2, HEIGHT / 2 + WIDTH / 2]]))


def heatmaps(points, seen):
    w, h, reach = WIDTH // STRIDE, HEIGHT // STRIDE, SIGMA * 3
    maps = np.zeros((17, h, w), np.float32)
    weights = seen.astype(np.float32).copy()
    offsets = np.arange(2 * reach + 1, dtype=np.float32) - reach
    patch = np.exp(-(offsets[None] ** 2 + offsets[:, None] ** 2) / (2 * SIGMA ** 2))
    for k in range(17):
        x, y = (points[k] / STRIDE + 0.5).astype(int)
        left, top = x - reach, y - reach
        if not seen[k] or left >= w or top >= h or x + reach < 0 or y + reach < 0:
            weights[k] = 0
            continue
        x0, x1, y0, y1 = max(0, left), min(w, x + reach + 1), max(0, top), min(h, y + reach + 1)
        region = maps[k, y0:y1, x0:x1]
        np.maximum(region, patch[y0 - top:y1 - top, x0 - left:x1 - left], out=region)
    return maps, weights


def sample(annotation):
    image = cv2.imread(folder + "/train/" + names[annotation["image_id"]])
    points = np.array(annotation["keypoints"], np.float32).reshape(17, 3)
    points, seen = points[:, :2], points[:, 2] > 0
    x, y, w, h = annotation["bbox"]
    center, scale = np.float32([x + w / 2, y + h / 2]), np.float32([w, h]) * 1.25
    if random.random() < 0.5:
        image = cv2.flip(image, 1)
        points[:, 0] = image.shape[1] - 1 - points[:, 0]
        points, seen = points[FLIPPED], seen[FLIPPED]
        center[0] = image.shape[1] - 1 - center[0]
    if seen.sum() >= 9 and random.random() < 0.3:
        center, scale = half_body(points, seen) or (center, scale)
    center = center + np.clip(random.normal(size=2), -1, 1) * 0.16 * scale
    scale = scale * (1 + np.clip(random.normal(), -1, 1) * 0.5)
    degrees = np.clip(random.normal(), -1, 1) * 80 if random.random() < 0.6 else 0
    scale = np.float32([max(scale[0], scale[1] * WIDTH / HEIGHT), max(scale[1], scale[0] * HEIGHT / WIDTH)])
    matrix = affine(np.float32(center), scale, degrees)
    crop = cv2.warpAffine(image, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
    points = cv2.transform(points[:, None], matrix)[:, 0]
    return np.ascontiguousarray(crop.transpose(2, 0, 1)), *heatmaps(points, seen)


people = [a for a in data["annotations"] if max(a["keypoints"]) > 0]
begin = time.perf_counter()
while time.perf_counter() - begin < seconds:
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < 1:
        sample(people[random.integers(len(people))])
        count += 1
    print(count / (time.perf_counter() - start), flush=True)
