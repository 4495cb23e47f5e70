// Convolution, forward: depthwise directly, 1 x 1 as a matrix product, all others by cuDNN where
// the build has it and by an implicit matrix product of our own elsewhere.
#include "kernels/conv.h"

#include "kernels/cuda/cudnn_conv.h"
#include "kernels/cuda/depthwise.cuh"
#include "kernels/cuda/tile_product.cuh"
#include "kernels/gemm.h"

namespace limber::kernels::cuda {
namespace {

// y: (N P Q, K / groups) = patches: (N P Q, R S C / groups) times weight^T, for each group.
template <class T>
struct ForwardProduct {
  Conv s;
  T* y;
  const T *x, *weight, *bias;
  int64_t M, N, K, groups;

  ForwardProduct(const Conv& c, T* to, const T* from, const T* w, const T* b)
      : s(c), y(to), x(from), weight(w), bias(b) {
    M = s.N * s.P * s.Q;
    N = s.K / s.groups;
    K = s.R * s.S * (s.C / s.groups);
    groups = s.groups;
  }
  __device__ float a(int64_t g, int64_t m, int64_t k) const {
    const int64_t D = s.C / s.groups, c = k % D, tap = k / D;
    const int64_t q = m % s.Q, p = m / s.Q % s.P, n = m / s.Q / s.P;
    const int64_t h = p * s.stride_h - s.pad_h + tap / s.S * s.dilation_h;
    const int64_t w = q * s.stride_w - s.pad_w + tap % s.S * s.dilation_w;
    if (h < 0 || h >= s.H || w < 0 || w >= s.W) return 0;
    return widen(x[((n * s.H + h) * s.W + w) * s.C + g * D + c]);
  }
  __device__ float b(int64_t g, int64_t k, int64_t n) const {
    return widen(weight[(g * N + n) * K + k]);
  }
  __device__ void store(int64_t g, int64_t, int64_t m, int64_t n, float value) const {
    const int64_t filter = g * N + n;
    if (bias != nullptr) value += widen(bias[filter]);
    y[m * s.K + filter] = narrow<T>(value);
  }
};

}  // namespace

void conv_forward(const Exec& ex, const Conv& s, Out y, In x, In weight, In bias) {
  if (s.N * s.P * s.Q * s.K == 0) return;
  if (is_depthwise(s)) return depthwise_forward(ex, s, y, x, weight, bias);
  if (is_pointwise(s)) {
    Gemm g;
    g.trans_b = true;
    g.M = s.N * s.P * s.Q, g.N = s.K, g.K = s.C;
    g.lda = g.ldb = s.C, g.ldc = s.K;
    g.bias = bias;
    return gemm(ex, g, y, x, weight);
  }
  if (cudnn_conv_forward(ex, s, y, x, weight, bias)) return;
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    tile_product(ex, ForwardProduct<T>(s, y.as<T>(), x.as<T>(), weight.as<T>(), bias.as<T>()));
  });
}

}  // namespace limber::kernels::cuda
