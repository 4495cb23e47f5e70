// Gradients of convolution, in the same three ways as the forward direction.
#include "kernels/conv.h"
#include "kernels/cuda/add_parts.cuh"
#include "kernels/cuda/columns.cuh"
#include "kernels/cuda/cudnn_conv.h"
#include "kernels/cuda/depthwise.cuh"
#include "kernels/cuda/tile_product.cuh"
#include "kernels/cuda/windows.cuh"
#include "kernels/gemm.h"

namespace limber::kernels::cuda {
namespace {

// dx: (N H W, C / groups) = what reads each element: (N H W, R S K / groups) times weight.
template <class T>
struct DataProduct {
  Conv s;
  T* dx;
  const T *dy, *weight, *bias;
  int64_t M, N, K, groups;

  DataProduct(const Conv& c, T* to, const T* from, const T* w, const T* b)
      : s(c), dx(to), dy(from), weight(w), bias(b) {
    M = s.N * s.H * s.W;
    N = s.C / s.groups;
    K = s.R * s.S * (s.K / s.groups);
    groups = s.groups;
  }
  __device__ float a(int64_t g, int64_t m, int64_t k) const {
    const int64_t filters = s.K / s.groups, tap = k / filters;
    const int64_t w = m % s.W, h = m / s.W % s.H, n = m / s.W / s.H;
    const int64_t p = reader(h, s.pad_h, tap / s.S * s.dilation_h, s.stride_h, s.P);
    const int64_t q = reader(w, s.pad_w, tap % s.S * s.dilation_w, s.stride_w, s.Q);
    if (p < 0 || q < 0) return 0;
    return widen(dy[((n * s.P + p) * s.Q + q) * s.K + g * filters + k % filters]);
  }
  __device__ float b(int64_t g, int64_t k, int64_t c) const {
    const int64_t filters = s.K / s.groups, filter = g * filters + k % filters;
    return widen(weight[(filter * s.R * s.S + k / filters) * N + c]);
  }
  __device__ void store(int64_t g, int64_t, int64_t m, int64_t c, float value) const {
    const int64_t channel = g * N + c;
    if (bias != nullptr) value += widen(bias[channel]);
    dx[m * s.C + channel] = narrow<T>(value);
  }
};

// dweight: (K / groups, R S C / groups) = dy^T: (K / groups, N P Q) times patches, in parts of the
// sum over N P Q.   parts: (part, K, R S C / groups)
template <class T>
struct WeightProduct {
  Conv s;
  float* sums;
  const T *x, *dy;
  int64_t M, N, K, groups;

  WeightProduct(const Conv& c, float* to, const T* image, const T* grads)
      : s(c), sums(to), x(image), dy(grads) {
    M = s.K / s.groups;
    N = s.R * s.S * (s.C / s.groups);
    K = s.N * s.P * s.Q;
    groups = s.groups;
  }
  __device__ float a(int64_t g, int64_t m, int64_t k) const {
    return widen(dy[k * s.K + g * M + m]);
  }
  __device__ float b(int64_t g, int64_t k, int64_t column) const {
    const int64_t D = s.C / s.groups, c = column % D, tap = column / D;
    const int64_t q = k % s.Q, p = k / s.Q % s.P, n = k / s.Q / s.P;
    const int64_t h = p * s.stride_h - s.pad_h + tap / s.S * s.dilation_h;
    const int64_t w = q * s.stride_w - s.pad_w + tap % s.S * s.dilation_w;
    if (h < 0 || h >= s.H || w < 0 || w >= s.W) return 0;
    return widen(x[((n * s.H + h) * s.W + w) * s.C + g * D + c]);
  }
  __device__ void store(int64_t g, int64_t part, int64_t m, int64_t n, float value) const {
    sums[(part * s.K + g * M + m) * N + n] = value;
  }
};

}  // namespace

void conv_backward_data(const Exec& ex, const Conv& s, Out dx, In dy, In weight, In bias) {
  if (s.N * s.H * s.W * s.C == 0) return;
  if (is_depthwise(s)) return depthwise_backward_data(ex, s, dx, dy, weight, bias);
  if (is_pointwise(s)) {
    Gemm g;
    g.M = s.N * s.P * s.Q, g.N = s.C, g.K = s.K;
    g.lda = s.K, g.ldb = g.ldc = s.C;
    g.bias = bias;
    return gemm(ex, g, dx, dy, weight);
  }
  if (cudnn_conv_backward_data(ex, s, dx, dy, weight, bias)) return;
  by_float_type(ex, dy.dtype, [&]<class T>(T) {
    tile_product(ex, DataProduct<T>(s, dx.as<T>(), dy.as<T>(), weight.as<T>(), bias.as<T>()));
  });
}

void conv_backward_weight(const Exec& ex, const Conv& s, Out dweight, In x, In dy) {
  const int64_t elements = s.K * s.R * s.S * (s.C / s.groups), rows = s.N * s.P * s.Q;
  if (elements == 0) return;
  if (rows > 0 && is_depthwise(s)) return depthwise_backward_weight(ex, s, dweight, x, dy);
  if (rows > 0 && is_pointwise(s)) {
    Gemm g;
    g.trans_a = true;
    g.M = s.K, g.N = s.C, g.K = rows;
    g.lda = s.K, g.ldb = g.ldc = s.C;
    return gemm(ex, g, dweight, dy, x);
  }
  if (rows > 0 && cudnn_conv_backward_weight(ex, s, dweight, x, dy)) return;
  const int64_t parts = parts_of(rows);
  const Scratch<float> sums(ex, parts * elements);
  by_float_type(ex, dy.dtype, [&]<class T>(T) {
    if (rows > 0) tile_product(ex, WeightProduct<T>(s, sums.data(), x.as<T>(), dy.as<T>()), parts);
    launch(ex, one_each(elements), add_parts_kernel<T>, dweight.as<T>(), sums.data(), elements,
           parts);
  });
}

}  // namespace limber::kernels::cuda
