// Depthwise convolution, forward.
#include "kernels/cuda/depthwise.cuh"

#include "kernels/cuda/depthwise_taps.cuh"

namespace limber::kernels::cuda {

void depthwise_forward(const Exec& ex, const Conv& s, const Epilogue& e, Out y, In x, In weight,
                       In bias) {
  depthwise_taps<false>(ex, s, e, s.N * s.P * s.Q * s.C, y, x, weight, bias);
}

}  // namespace limber::kernels::cuda
