// Errors of NVIDIA's libraries, and what the wrappers in this folder share.
#pragma once

#include <cublasLt.h>
#include <cuda_runtime.h>

#include "kernels/exec.h"

namespace limber::kernels::cuda {

// Throws CudaError "kernel: call failed: text" unless `status` is success.
void check_blas(cublasStatus_t status, const char* call, const Exec& ex);

cudaDataType_t library_type(const Exec& ex, DType dtype);  // f32, f16 and bf16

}  // namespace limber::kernels::cuda
