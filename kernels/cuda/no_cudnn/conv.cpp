// Convolutions in a build without cuDNN (LIMBER_CUDNN=OFF): all by this project's own kernels.
#include <cublasLt.h>

#include "kernels/cuda/cudnn_conv.h"
#include "kernels/cuda/runtime/libraries.h"

namespace limber::kernels {
namespace cuda {

bool cudnn_conv_forward(const Exec&, const Conv&, const Epilogue&, Out, In, In, In) {
  return false;
}
bool cudnn_conv_backward_data(const Exec&, const Conv&, const Epilogue&, Out, In, In, In) {
  return false;
}
bool cudnn_conv_backward_weight(const Exec&, const Conv&, Out, In, In) { return false; }

}  // namespace cuda

namespace gpu {

std::string library_versions() {
  const size_t blas = cublasLtGetVersion();
  return "cuBLASLt " + std::to_string(blas / 10000) + "." + std::to_string(blas / 100 % 100);
}

}  // namespace gpu
}  // namespace limber::kernels
