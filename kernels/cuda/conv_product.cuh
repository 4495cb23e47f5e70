// Convolutions as implicit matrix products: what a convolution and a deformable one share. They
// differ in what a tap reads, Patches below and DeformedPatches in deform_conv.cuh.
#pragma once

#include "kernels/conv.h"
#include "kernels/cuda/add_parts.cuh"
#include "kernels/cuda/epilogue.cuh"
#include "kernels/cuda/tile_product.cuh"
#include "kernels/cuda/windows.cuh"

namespace limber::kernels::cuda {

// Element k of the R S C / groups numbers that result `pixel` (of N P Q) reads in group g.
template <class T>
struct Patches {
  Conv s;
  const T* x;
  __device__ float operator()(int64_t g, int64_t pixel, int64_t k) const {
    const int64_t D = s.C / s.groups, tap = k / D;
    const int64_t q = pixel % s.Q, p = pixel / s.Q % s.P, n = pixel / s.Q / s.P;
    const int64_t h = read_by(p, s.pad_h, tap / s.S * s.dilation_h, s.stride_h, s.H);
    const int64_t w = read_by(q, s.pad_w, tap % s.S * s.dilation_w, s.stride_w, s.W);
    if (h < 0 || w < 0) return 0;
    return widen(x[((n * s.H + h) * s.W + w) * s.C + g * D + k % D]);
  }
};

// y: (N P Q, K / groups) = patches: (N P Q, R S C / groups) times weight^T, for each group.
template <class T, class Read>
struct ForwardProduct {
  Conv s;
  Read read;
  T* y;
  const T* weight;
  Finish<T> finish;
  int64_t M, N, K, groups;

  ForwardProduct(const Conv& c, const Read& from, T* to, const T* w, const Finish<T>& f)
      : s(c), read(from), y(to), weight(w), finish(f) {
    M = s.N * s.P * s.Q;
    N = s.K / s.groups;
    K = s.R * s.S * (s.C / s.groups);
    groups = s.groups;
  }
  __device__ float a(int64_t g, int64_t m, int64_t k) const { return read(g, m, k); }
  __device__ float b(int64_t g, int64_t k, int64_t n) const {
    return widen(weight[(g * N + n) * K + k]);
  }
  __device__ void store(int64_t g, int64_t, int64_t m, int64_t n, float value) const {
    const int64_t filter = g * N + n, at = m * s.K + filter;
    y[at] = finish(value, at, filter);
  }
};

// dweight: (K / groups, R S C / groups) = dy^T: (K / groups, N P Q) times patches, in parts of the
// sum over N P Q.   sums: (part, K, R S C / groups)
template <class T, class Read>
struct WeightProduct {
  Conv s;
  Read read;
  float* sums;
  const T* dy;
  int64_t M, N, K, groups;

  WeightProduct(const Conv& c, const Read& from, float* to, const T* grads)
      : s(c), read(from), sums(to), dy(grads) {
    M = s.K / s.groups;
    N = s.R * s.S * (s.C / s.groups);
    K = s.N * s.P * s.Q;
    groups = s.groups;
  }
  __device__ float a(int64_t g, int64_t m, int64_t k) const {
    return widen(dy[k * s.K + g * M + m]);
  }
  __device__ float b(int64_t g, int64_t k, int64_t n) const { return read(g, k, n); }
  __device__ void store(int64_t g, int64_t part, int64_t m, int64_t n, float value) const {
    sums[(part * s.K + g * M + m) * N + n] = value;
  }
};

template <class T, class Read>
void weight_product(const Exec& ex, const Conv& s, const Read& read, T* dweight, const T* dy) {
  const int64_t elements = s.K * s.R * s.S * (s.C / s.groups);
  const int64_t parts = parts_of(s.N * s.P * s.Q);
  const Scratch<float> sums(ex, parts * elements);
  if (parts > 0) tile_product(ex, WeightProduct<T, Read>(s, read, sums.data(), dy), parts);
  launch(ex, one_each(elements), add_parts_kernel<T>, dweight, sums.data(), elements, parts);
}

}  // namespace limber::kernels::cuda
