// Gradients of depthwise convolution.
#include "kernels/cuda/columns.cuh"
#include "kernels/cuda/depthwise.cuh"
#include "kernels/cuda/depthwise_taps.cuh"

namespace limber::kernels::cuda {
namespace {

// Column (r, k, c) of the weights' gradient, summed over the rows (n, p, q).
template <class T>
struct WeightTerm {
  Conv s;
  const T *x, *dy;
  __device__ void operator()(int64_t, int64_t row, int64_t column, float* sums) const {
    const int64_t c = column % s.C, k = column / s.C % s.S, r = column / s.C / s.S;
    const int64_t q = row % s.Q, p = row / s.Q % s.P, n = row / s.Q / s.P;
    const int64_t h = read_by(p, s.pad_h, r * s.dilation_h, s.stride_h, s.H);
    const int64_t w = read_by(q, s.pad_w, k * s.dilation_w, s.stride_w, s.W);
    if (h < 0 || w < 0) return;
    sums[0] += widen(dy[row * s.C + c]) * widen(x[((n * s.H + h) * s.W + w) * s.C + c]);
  }
};

// dweight: (C, taps) from (taps, C)
template <class T>
__global__ void transpose_weight_kernel(T* dweight, const float* sums, int64_t taps, int64_t C) {
  for (for_each_item(at, taps * C)) dweight[at] = narrow<T>(sums[at % taps * C + at / taps]);
}

}  // namespace

void depthwise_backward_data(const Exec& ex, const Conv& s, const Epilogue& e, Out dx, In dy,
                             In weight, In bias) {
  depthwise_taps<true>(ex, s, e, s.N * s.H * s.W * s.C, dx, dy, weight, bias);
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
