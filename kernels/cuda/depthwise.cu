// Depthwise convolution: neighbouring threads work on neighbouring channels.
#include "kernels/cuda/depthwise.cuh"

#include "kernels/cuda/launch.cuh"

namespace limber::kernels::cuda {
namespace {

template <class T>
__global__ void depthwise_kernel(Conv s, T* y, const T* x, const T* weight, const T* bias,
                                 int64_t elements) {
  for (for_each_item(at, elements)) {
    const int64_t c = at % s.C, q = at / s.C % s.Q, p = at / s.C / s.Q % s.P;
    const T* image = x + at / s.C / s.Q / s.P * s.H * s.W * s.C + c;
    float total = bias != nullptr ? widen(bias[c]) : 0.0f;
    for (int64_t r = 0; r < s.R; ++r) {
      const int64_t h = p * s.stride_h - s.pad_h + r * s.dilation_h;
      if (h < 0 || h >= s.H) continue;
      for (int64_t k = 0; k < s.S; ++k) {
        const int64_t w = q * s.stride_w - s.pad_w + k * s.dilation_w;
        if (w >= 0 && w < s.W)
          total += widen(image[(h * s.W + w) * s.C]) * widen(weight[(c * s.R + r) * s.S + k]);
      }
    }
    y[at] = narrow<T>(total);
  }
}

}  // namespace

void depthwise_forward(const Exec& ex, const Conv& s, Out y, In x, In weight, In bias) {
  const int64_t n = s.N * s.P * s.Q * s.C;
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    launch(ex, one_each(n), depthwise_kernel<T>, s, y.as<T>(), x.as<T>(), weight.as<T>(),
           bias.as<T>(), n);
  });
}

}  // namespace limber::kernels::cuda
