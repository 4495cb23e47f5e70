#!/usr/bin/env python3
"""Runs the consumer program and says what it costs: size, time to open, peak of memory.

  measure_consumer.py PROGRAM MODEL PICTURE LIMITS

PROGRAM is static and stripped. LIMITS is a JSON file {"program_bytes": ..., "most_program_bytes":
..., "peak_over_model_bytes": ...}: what the program weighed when that file was last written, and
bounds. Fails where the program outgrew its weight by more than 5 %, or a bound; the time is printed
only, because it is the machine's.
"""
import json
import os
import re
import resource
import subprocess
import sys


def main():
    program, model, picture, limits_file = sys.argv[1:]
    with open(limits_file, encoding="utf-8") as text:
        limits = json.load(text)
    size = os.path.getsize(program)
    output = subprocess.run([program, model, picture], check=True, capture_output=True,
                            text=True).stdout
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    found = re.search(r"opened in ([\d.]+) ms, first result after ([\d.]+) ms, ([\d.]+) MB", output)
    if not found:
        sys.exit(f"{program}: unexpected output:\n{output}")
    opened, first, planned = (float(v) for v in found.groups())
    over = peak - planned * 1e6
    print(f"program {size / 1e6:.3f} MB static and stripped; opened in {opened} ms, first result "
          f"after {first} ms; peak memory {peak / 1e6:.1f} MB, {over / 1e6:.1f} MB above weights "
          f"and arena")
    bad = []
    if size > 1.05 * limits["program_bytes"]:
        bad.append(f"the program weighed {limits['program_bytes']} bytes when {limits_file} was "
                   f"written: say why it grew and write the new weight there")
    if size > limits["most_program_bytes"]:
        bad.append(f"more than {limits['most_program_bytes']} bytes")
    if over > limits["peak_over_model_bytes"]:
        bad.append(f"more than {limits['peak_over_model_bytes']} bytes above weights and arena")
    print("\n".join(bad), end="\n" if bad else "")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
