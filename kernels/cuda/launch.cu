// The errors of launchers.
#include "kernels/cuda/launch.cuh"

namespace limber::kernels::cuda {

void unsupported(const Exec& ex, DType dtype) {
  constexpr const char* names[] = {"f32", "f64", "f16", "bf16", "i64", "i32", "u8", "bool"};
  throw gpu::CudaError(std::string(ex.kernel) + ": no GPU kernel for " + names[int(dtype)] +
                       " (f32, f16 and bf16 there are)");
}

}  // namespace limber::kernels::cuda
