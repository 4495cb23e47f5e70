"""pycocotools on a pair of files: coco_eval.py ANNOTATIONS RESULTS. Prints the seconds that the
evaluation took after the files were read, and its ten numbers, as JSON."""
import contextlib
import json
import sys
import time

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

with contextlib.redirect_stdout(sys.stderr):
    truth = COCO(sys.argv[1])
    found = truth.loadRes(sys.argv[2])
    begin = time.perf_counter()
    evaluation = COCOeval(truth, found, "keypoints")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    seconds = time.perf_counter() - begin
print(json.dumps({"seconds": seconds, "values": list(evaluation.stats)}))
