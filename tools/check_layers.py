#!/usr/bin/env python3
"""Who may include whom, and what else a text search can hold up: see docs/architecture.md.

Prints one line per breach, `file:line: what`, and ends with exit code 1 if there was any.
"""
import os
import re
import subprocess
import sys

RUNTIME = ["kernels/cpu/runtime", "kernels/cuda/runtime"]
TENSOR = ["tensor", "tensor/ops"]
LAYERS = TENSOR + ["nn", "nn/blocks"]
MODELS = LAYERS + ["pose/core", "pose/config", "pose/backbones", "pose/necks", "pose/heads",
                   "pose/codecs", "pose/losses"]
DATA = ["data", "data/transforms", "data/datasets", "data/synth"]
TRAINING = MODELS + DATA + RUNTIME + [
    "kernels", "graph", "autograd", "autograd/rules", "nn/optim", "pose/estimators", "pose/metrics",
    "pose/engine", "pose/report"]

# A folder's row names what its files may include besides the folder itself.
MAY_INCLUDE = {
    "kernels": [],
    "kernels/cpu": ["kernels"],
    "kernels/cpu/runtime": ["kernels"],
    "kernels/cuda": ["kernels", "kernels/cuda/runtime", "kernels/cuda/emulator"],
    "kernels/cuda/runtime": ["kernels", "kernels/cuda"],
    "kernels/cuda/absent": ["kernels", "kernels/cuda/runtime"],
    "kernels/cuda/emulator": ["kernels", "kernels/cuda", "kernels/cuda/runtime",
                              "kernels/cpu/runtime"],
    "kernels/cuda/libraries": ["kernels", "kernels/cuda", "kernels/cuda/runtime"],
    "kernels/cuda/cudnn": ["kernels", "kernels/cuda", "kernels/cuda/runtime"],
    "kernels/cuda/no_cudnn": ["kernels", "kernels/cuda", "kernels/cuda/runtime"],
    "tensor": TENSOR + RUNTIME + ["kernels"],
    "tensor/ops": TENSOR + ["kernels"],
    "graph": TENSOR + ["graph", "graph/passes", "kernels"],
    "graph/passes": TENSOR + ["graph", "kernels"],
    "graph/onnx": TENSOR + ["graph", "kernels"],
    "infer": TENSOR + RUNTIME + ["graph", "kernels", "pose/core", "pose/codecs"],
    "autograd": TENSOR + ["kernels"],
    "autograd/rules": TENSOR + ["kernels", "autograd"],
    "nn": TENSOR,
    "nn/blocks": LAYERS,
    "nn/optim": LAYERS + ["kernels", "autograd", "pose/config", "pose/core"],
    "pose/config": TENSOR,
    "pose/core": LAYERS + ["kernels", "pose/config"],
    "pose/backbones": LAYERS + ["pose/core", "pose/config"],
    "pose/necks": LAYERS + ["pose/core", "pose/config", "pose/backbones"],
    "pose/codecs": LAYERS + ["kernels", "pose/core", "pose/config"],
    "pose/losses": LAYERS + ["pose/core", "pose/config"],
    "pose/heads": MODELS,
    "pose/estimators": MODELS + ["graph"],
    "pose/metrics": LAYERS + DATA + ["pose/core", "pose/config", "pose/codecs"],
    "pose/engine": TRAINING,
    "pose/report": TRAINING,
    "data": DATA + TENSOR + ["nn", "kernels", "pose/core", "pose/config"],
    "data/ffmpeg": ["data", "tensor"],
    "data/no_ffmpeg": ["data", "tensor"],
    "data/transforms": DATA + TENSOR + ["kernels", "pose/core", "pose/config", "pose/codecs"],
    "data/datasets": DATA + TENSOR + ["nn", "pose/core", "pose/config"],
    "data/synth": DATA + TENSOR + ["nn", "pose/core", "pose/config"],
}
FREE = ("tests", "tools", "bench", "examples")  # may include anything
MAX_LINES = 600
BUILT_APART = ("tests/consumer", "tests/fuzz")  # by tools/check.sh and tools/nightly.sh


def tracked(*patterns):
    command = ["git", "ls-files", "-co", "--exclude-standard", "--", *patterns]
    names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return [name for name in names if os.path.exists(name)]


def includes(name):
    """(line number, '"' or '<', included path) of each include."""
    with open(name, encoding="utf-8") as text:
        for number, line in enumerate(text, 1):
            found = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
            if found:
                yield number, found[1], found[2]


def is_free(folder):
    return folder.split("/")[0] in FREE


def check_layers(name, report):
    folder = os.path.dirname(name)
    if is_free(folder):
        return
    if folder not in MAY_INCLUDE:
        report(name, 1, f"folder {folder} has no row in tools/check_layers.py")
        return
    for number, kind, path in includes(name):
        if kind == "<":
            continue
        target = os.path.dirname(path)
        if not os.path.exists(path):
            report(name, number, f'"{path}" is no path from the root')
        elif target != folder and target not in MAY_INCLUDE[folder]:
            report(name, number, f"{folder} may not include {target}")


def check_built(sources, report):
    """A folder of sources that no FOLDERS list names would silently not be built."""
    lists = " ".join(open(name, encoding="utf-8").read()
                     for name in ("CMakeLists.txt", "tests/CMakeLists.txt", "cmake/limber_library.cmake",
                                  "cmake/limber_cuda.cmake"))
    for folder in sorted({os.path.dirname(n) for n in sources if n.endswith(".cpp")}):
        if not re.search(rf"(?<![\w/]){re.escape(folder)}(?![\w/])", lists) and folder not in BUILT_APART:
            report(folder, 1, "in no FOLDERS list of CMakeLists.txt or tests/CMakeLists.txt")


def check_json(name, report):
    for number, _, path in includes(name):
        if path.startswith("nlohmann/") and name.endswith(".h") and not name.startswith("tests/oracle/"):
            report(name, number, f"{path} belongs in .cpp files: it costs a second of each compile")


def check_kernel_headers(report):
    """Kernel files and what they include see no standard library: its inline functions, compiled
    for AVX-512, could be the copies that the linker keeps for the whole program."""
    allowed = {"cstdint", "cstddef", "immintrin.h"}
    todo = [n for n in tracked("kernels/cpu/*.cpp") if os.path.dirname(n) == "kernels/cpu"]
    seen = set(todo)
    while todo:
        name = todo.pop()
        for number, kind, path in includes(name):
            if kind == "<" and path not in allowed:
                report(name, number, f"<{path}>: kernel code includes <cstdint> and <cstddef> only")
            elif kind == '"' and path not in seen and os.path.exists(path):
                seen.add(path)
                todo.append(path)


def main():
    breaches = []

    def report(name, number, what):
        breaches.append(f"{name}:{number}: {what}")

    sources = tracked("*.h", "*.cpp", "*.def", "*.cu", "*.cuh")
    for name in sources:
        check_layers(name, report)
        check_json(name, report)
    check_kernel_headers(report)
    check_built(sources, report)
    for name in sources + tracked("*.py", "*.sh", "*.cmake", "dev"):
        with open(name, encoding="utf-8") as text:
            lines = sum(1 for _ in text)
        if lines > MAX_LINES:
            report(name, lines, f"{lines} lines; {MAX_LINES} are the limit: split it by subject")
    print("\n".join(breaches) if breaches else f"{len(sources)} files keep to their layers")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
