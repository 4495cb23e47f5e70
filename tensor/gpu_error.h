// Errors of a GPU with the op that met them.
#pragma once

#include <span>
#include <string>

#include "kernels/cuda/runtime/gpu.h"
#include "tensor/tensor.h"

namespace limber {

// Throws Error "WHAT f32 (2, 3), f32 (3): ...": the error names the kernel and the call already.
[[noreturn]] void fail_on_gpu(const std::string& what, std::span<const Tensor> inputs,
                              const kernels::gpu::CudaError& error);

}  // namespace limber
