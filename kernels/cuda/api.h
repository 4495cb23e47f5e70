// The CUDA runtime API and, in .cu files, the device language: NVIDIA's, or this project's
// emulator.
#pragma once

#if defined(LIMBER_CUDA_EMULATE)
#include "kernels/cuda/emulator/language.h"
#include "kernels/cuda/emulator/runtime.h"
#include "kernels/cuda/emulator/stream.h"
#else
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#endif
