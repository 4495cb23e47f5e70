// Gradients of convolution, in the same three ways as the forward direction.
#include "kernels/conv.h"
#include "kernels/cuda/conv_product.cuh"
#include "kernels/cuda/cudnn_conv.h"
#include "kernels/cuda/depthwise.cuh"
#include "kernels/cuda/epilogue.cuh"
#include "kernels/gemm.h"

namespace limber::kernels::cuda {
namespace {

// dx: (N H W, C / groups) = what reads each element: (N H W, R S K / groups) times weight.
template <class T>
struct DataProduct {
  Conv s;
  T* dx;
  const T *dy, *weight;
  Finish<T> finish;
  int64_t M, N, K, groups;

  DataProduct(const Conv& c, T* to, const T* from, const T* w, const Finish<T>& f)
      : s(c), dx(to), dy(from), weight(w), finish(f) {
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
    const int64_t channel = g * N + c, at = m * s.C + channel;
    dx[at] = finish(value, at, channel);
  }
};

}  // namespace

void conv_transposed_fused(const Exec& ex, const Conv& s, const Epilogue& e, Out dx, In dy,
                           In weight, In bias) {
  const int64_t elements = s.N * s.H * s.W * s.C;
  if (elements == 0) return;
  if (is_depthwise(s)) return depthwise_backward_data(ex, s, e, dx, dy, weight, bias);
  const bool plain = !e.acts && e.residual.data == nullptr;
  if (!plain && cudnn_conv_backward_data(ex, s, e, dx, dy, weight, bias)) return;
  const auto by_library = [&](Out sums) {
    if (!is_pointwise(s)) return cudnn_conv_backward_data(ex, s, {}, sums, dy, weight, bias);
    Gemm g;
    g.M = s.N * s.P * s.Q, g.N = s.C, g.K = s.K;
    g.lda = s.K, g.ldb = g.ldc = s.C;
    g.bias = bias;
    gemm(ex, g, sums, dy, weight);
    return true;
  };
  if (conv_by_library(ex, e, dx, elements, by_library)) return;
  by_float_type(ex, dy.dtype, [&]<class T>(T) {
    tile_product(ex, DataProduct<T>(s, dx.as<T>(), dy.as<T>(), weight.as<T>(), Finish<T>(e, bias)));
  });
}

void conv_backward_data(const Exec& ex, const Conv& s, Out dx, In dy, In weight, In bias) {
  conv_transposed_fused(ex, s, {}, dx, dy, weight, bias);
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
  by_float_type(ex, dy.dtype, [&]<class T>(T) {
    weight_product(ex, s, Patches<T>{s, x.as<T>()}, dweight.as<T>(), dy.as<T>());
  });
}

}  // namespace limber::kernels::cuda
