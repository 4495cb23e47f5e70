// Gradients of depthwise convolution.
#include "kernels/cuda/columns.cuh"
#include "kernels/cuda/depthwise.cuh"
#include "kernels/cuda/windows.cuh"

namespace limber::kernels::cuda {
namespace {

template <class T>
__global__ void depthwise_data_kernel(Conv s, T* dx, const T* dy, const T* weight, const T* bias,
                                      int64_t elements) {
  for (for_each_item(at, elements)) {
    const int64_t c = at % s.C, w = at / s.C % s.W, h = at / s.C / s.W % s.H;
    const T* grads = dy + at / s.C / s.W / s.H * s.P * s.Q * s.C + c;
    float total = bias != nullptr ? widen(bias[c]) : 0.0f;
    for (int64_t r = 0; r < s.R; ++r) {
      const int64_t p = reader(h, s.pad_h, r * s.dilation_h, s.stride_h, s.P);
      if (p < 0) continue;
      for (int64_t k = 0; k < s.S; ++k) {
        const int64_t q = reader(w, s.pad_w, k * s.dilation_w, s.stride_w, s.Q);
        if (q >= 0)
          total += widen(grads[(p * s.Q + q) * s.C]) * widen(weight[(c * s.R + r) * s.S + k]);
      }
    }
    dx[at] = narrow<T>(total);
  }
}

// Column (r, k, c) of the weights' gradient, summed over the rows (n, p, q).
template <class T>
struct WeightTerm {
  Conv s;
  const T *x, *dy;
  __device__ void operator()(int64_t, int64_t row, int64_t column, float* sums) const {
    const int64_t c = column % s.C, k = column / s.C % s.S, r = column / s.C / s.S;
    const int64_t q = row % s.Q, p = row / s.Q % s.P, n = row / s.Q / s.P;
    const int64_t h = p * s.stride_h - s.pad_h + r * s.dilation_h;
    const int64_t w = q * s.stride_w - s.pad_w + k * s.dilation_w;
    if (h < 0 || h >= s.H || w < 0 || w >= s.W) return;
    sums[0] += widen(dy[row * s.C + c]) * widen(x[((n * s.H + h) * s.W + w) * s.C + c]);
  }
};

// dweight: (C, taps) from (taps, C)
template <class T>
__global__ void transpose_weight_kernel(T* dweight, const float* sums, int64_t taps, int64_t C) {
  for (for_each_item(at, taps * C)) dweight[at] = narrow<T>(sums[at % taps * C + at / taps]);
}

}  // namespace

void depthwise_backward_data(const Exec& ex, const Conv& s, Out dx, In dy, In weight, In bias) {
  const int64_t n = s.N * s.H * s.W * s.C;
  by_float_type(ex, dy.dtype, [&]<class T>(T) {
    launch(ex, one_each(n), depthwise_data_kernel<T>, s, dx.as<T>(), dy.as<T>(), weight.as<T>(),
           bias.as<T>(), n);
  });
}

void depthwise_backward_weight(const Exec& ex, const Conv& s, Out dweight, In x, In dy) {
  const int64_t taps = s.R * s.S;
  const Scratch<float> sums(ex, taps * s.C);
  by_float_type(ex, dy.dtype, [&]<class T>(T) {
    column_sums<1>(ex, WeightTerm<T>{s, x.as<T>(), dy.as<T>()}, sums.data(), 1, s.N * s.P * s.Q,
                   taps * s.C);
    launch(ex, one_each(taps * s.C), transpose_weight_kernel<T>, dweight.as<T>(), sums.data(), taps,
           s.C);
  });
}

}  // namespace limber::kernels::cuda
