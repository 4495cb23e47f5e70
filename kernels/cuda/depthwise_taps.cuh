// Depthwise convolution and its data gradient are one walk over the taps: the first reads the
// image, the second the gradients of the results. Neighbouring threads work on neighbouring
// channels.
#pragma once

#include "kernels/conv.h"
#include "kernels/cuda/epilogue.cuh"
#include "kernels/cuda/windows.cuh"

namespace limber::kernels::cuda {

template <bool backward, class T>
__global__ void depthwise_taps_kernel(Conv s, T* y, const T* x, const T* weight, Finish<T> finish,
                                      int64_t elements) {
  const int64_t rows = backward ? s.H : s.P, columns = backward ? s.W : s.Q;  // of y
  const int64_t H = backward ? s.P : s.H, W = backward ? s.Q : s.W;           // of x
  for (for_each_item(at, elements)) {
    const int64_t c = at % s.C, j = at / s.C % columns, i = at / s.C / columns % rows;
    const T* image = x + at / s.C / columns / rows * H * W * s.C + c;
    float total = 0;
    for (int64_t r = 0; r < s.R; ++r) {
      const int64_t h = meeting<backward>(i, s.pad_h, r * s.dilation_h, s.stride_h, H);
      if (h < 0) continue;
      for (int64_t k = 0; k < s.S; ++k) {
        const int64_t w = meeting<backward>(j, s.pad_w, k * s.dilation_w, s.stride_w, W);
        if (w >= 0)
          total += widen(image[(h * W + w) * s.C]) * widen(weight[(c * s.R + r) * s.S + k]);
      }
    }
    y[at] = finish(total, at, c);
  }
}

template <bool backward>
void depthwise_taps(const Exec& ex, const Conv& s, const Epilogue& e, int64_t elements, Out y, In x,
                    In weight, In bias) {
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    launch(ex, one_each(elements), depthwise_taps_kernel<backward, T>, s, y.as<T>(), x.as<T>(),
           weight.as<T>(), Finish<T>(e, bias), elements);
  });
}

}  // namespace limber::kernels::cuda
