// Deformable convolution, forward: an implicit matrix product whose left operand is interpolated.
#include "kernels/cuda/deform_conv.cuh"

#include "kernels/cuda/tile_product.cuh"

namespace limber::kernels::cuda {
namespace {

template <class T>
struct DeformProduct {
  DeformConv d;
  T* y;
  const T *x, *offset, *weight, *bias;
  int64_t M, N, K, groups;

  DeformProduct(const DeformConv& c, T* to, const T* from, const T* shifts, const T* w, const T* b)
      : d(c), y(to), x(from), offset(shifts), weight(w), bias(b) {
    const Conv& s = d.conv;
    M = s.N * s.P * s.Q;
    N = s.K / s.groups;
    K = s.R * s.S * (s.C / s.groups);
    groups = s.groups;
  }
  __device__ float a(int64_t g, int64_t m, int64_t k) const {
    const int64_t D = d.conv.C / groups;
    return read_tap(d, x, offset, m, k / D, g * D + k % D);
  }
  __device__ float b(int64_t g, int64_t k, int64_t n) const {
    return widen(weight[(g * N + n) * K + k]);
  }
  __device__ void store(int64_t g, int64_t, int64_t m, int64_t n, float value) const {
    const int64_t filter = g * N + n;
    if (bias != nullptr) value += widen(bias[filter]);
    y[m * d.conv.K + filter] = narrow<T>(value);
  }
};

}  // namespace

void deform_conv_forward(const Exec& ex, const DeformConv& d, Out y, In x, In offset, In weight,
                         In bias) {
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    tile_product(ex, DeformProduct<T>(d, y.as<T>(), x.as<T>(), offset.as<T>(), weight.as<T>(),
                                      bias.as<T>()));
  });
}

}  // namespace limber::kernels::cuda
