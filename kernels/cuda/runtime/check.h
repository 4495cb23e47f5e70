// Errors of the CUDA runtime as exceptions.
#pragma once

#include "kernels/cuda/api.h"
#include "kernels/cuda/runtime/gpu.h"

namespace limber::kernels::gpu {

// Throws CudaError "kernel: call failed: text" unless `status` is success. `kernel` may be "".
void check_status(cudaError_t status, const char* call, const char* kernel = "");

// LIMBER_CUDA_SYNC=1 in the environment: every launch waits for its kernel, so that a fault is
// reported where it happened.
bool waits_for_kernels();

}  // namespace limber::kernels::gpu

#define cuda_check(call) ::limber::kernels::gpu::check_status((call), #call)
#define cuda_check_in(ex, call) ::limber::kernels::gpu::check_status((call), #call, (ex).kernel)
