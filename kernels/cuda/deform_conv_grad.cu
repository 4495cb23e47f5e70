// Gradients of the deformable convolution.
//
// Any result may read any pixel, so the gradient of the image is scattered. Sums of floats would
// depend on the order in which the threads arrive; so the terms are rounded to multiples of 2^-40
// of the largest one and added as integers, whose sum has no order.
#include "kernels/cuda/add_parts.cuh"
#include "kernels/cuda/deform_conv.cuh"
#include "kernels/cuda/reduce.cuh"
#include "kernels/cuda/tile_product.cuh"

namespace limber::kernels::cuda {
namespace {

// read[pixel, t, c] = the gradient of what tap t read: sum over c's filters of dy weight.
template <class T>
struct ReadProduct {
  Conv s;
  float* read;
  const T *dy, *weight;
  int64_t M, N, K, groups;

  ReadProduct(const Conv& c, float* to, const T* grads, const T* w)
      : s(c), read(to), dy(grads), weight(w) {
    M = s.N * s.P * s.Q;
    N = s.R * s.S * (s.C / s.groups);
    K = s.K / s.groups;
    groups = s.groups;
  }
  __device__ float a(int64_t g, int64_t m, int64_t k) const {
    return widen(dy[m * s.K + g * K + k]);
  }
  __device__ float b(int64_t g, int64_t k, int64_t n) const {
    return widen(weight[(g * K + k) * N + n]);
  }
  __device__ void store(int64_t g, int64_t, int64_t m, int64_t n, float value) const {
    const int64_t D = s.C / groups;
    read[(m * s.R * s.S + n / D) * s.C + g * D + n % D] = value;
  }
};

// *top = the bits of the largest |x|, which order like the numbers; a NaN's are the largest.
__global__ void largest_kernel(unsigned* top, const float* x, int64_t n) {
  float own = 0;
  for (for_each_item(i, n)) own = Larger()(own, fabsf(x[i]));
  own = over_block(own, 0.0f, Larger());
  if (threadIdx.x == 0) atomicMax(top, __float_as_uint(own));
}

// What a term is multiplied with before rounding: 2^40 over the power of two above the largest.
__device__ __forceinline__ double scale_of(unsigned top) {
  const float largest = __uint_as_float(top);
  return largest > 0 ? exp2(40.0 - ceil(log2(double(largest)))) : 1.0;
}

template <class T>
__global__ void scatter_kernel(DeformConv d, unsigned long long* sums, const unsigned* top,
                               const float* read, const T* offset, int64_t elements) {
  const Conv& s = d.conv;
  const int64_t taps = s.R * s.S;
  const double scale = scale_of(*top);
  for (for_each_item(at, elements)) {
    const int64_t c = at % s.C, t = at / s.C % taps, pixel = at / s.C / taps;
    const int64_t q = pixel % s.Q, p = pixel / s.Q % s.P, n = pixel / s.Q / s.P;
    const int64_t o = c / (s.C / d.offset_groups);
    Place place;
    if (!find_place(place, s, p, q, t, offset + ((pixel * d.offset_groups + o) * taps + t) * 2))
      continue;
    for (int i = 0; i < 4; ++i) {
      if (place.factor[i] == 0) continue;
      const long long term = llrint(double(read[at] * place.factor[i]) * scale);
      atomicAdd(&sums[(n * s.H * s.W + place.at[i]) * s.C + c],
                static_cast<unsigned long long>(term));
    }
  }
}

template <class T>
__global__ void unscale_kernel(T* dx, const unsigned long long* sums, const unsigned* top,
                               int64_t n) {
  const bool finite = __uint_as_float(*top) <= 3.402823466e38f;
  const double scale = scale_of(*top);
  for (for_each_item(i, n))
    dx[i] = narrow<T>(finite ? float(double(static_cast<long long>(sums[i])) / scale) : NAN);
}

// One thread per offset: the channels of its group.
template <class T>
__global__ void offset_grad_kernel(DeformConv d, T* doffset, const float* read, const T* x,
                                   const T* offset, int64_t pairs) {
  const Conv& s = d.conv;
  const int64_t taps = s.R * s.S, size = s.C / d.offset_groups;
  for (for_each_item(at, pairs)) {
    const int64_t t = at % taps, o = at / taps % d.offset_groups;
    const int64_t pixel = at / taps / d.offset_groups;
    const int64_t q = pixel % s.Q, p = pixel / s.Q % s.P, n = pixel / s.Q / s.P;
    float row = 0, column = 0;
    Place place;
    if (find_place(place, s, p, q, t, offset + at * 2)) {
      const T* image = x + n * s.H * s.W * s.C + o * size;
      const float* from = read + (pixel * taps + t) * s.C + o * size;
      for (int64_t c = 0; c < size; ++c) {
        row += from[c] * read_place(place, place.by_row, image + c, s.C);
        column += from[c] * read_place(place, place.by_column, image + c, s.C);
      }
    }
    doffset[at * 2] = narrow<T>(row);
    doffset[at * 2 + 1] = narrow<T>(column);
  }
}

// dweight: (K / groups, R S C / groups), in parts of the sum over the results.
template <class T>
struct DeformWeightProduct {
  DeformConv d;
  float* sums;
  const T *x, *offset, *dy;
  int64_t M, N, K, groups;

  DeformWeightProduct(const DeformConv& c, float* to, const T* image, const T* shifts,
                      const T* grads)
      : d(c), sums(to), x(image), offset(shifts), dy(grads) {
    const Conv& s = d.conv;
    M = s.K / s.groups;
    N = s.R * s.S * (s.C / s.groups);
    K = s.N * s.P * s.Q;
    groups = s.groups;
  }
  __device__ float a(int64_t g, int64_t m, int64_t k) const {
    return widen(dy[k * d.conv.K + g * M + m]);
  }
  __device__ float b(int64_t g, int64_t k, int64_t n) const {
    const int64_t D = d.conv.C / groups;
    return read_tap(d, x, offset, k, n / D, g * D + n % D);
  }
  __device__ void store(int64_t g, int64_t part, int64_t m, int64_t n, float value) const {
    sums[(part * d.conv.K + g * M + m) * N + n] = value;
  }
};

}  // namespace

void deform_conv_backward_data(const Exec& ex, const DeformConv& d, Out dx, Out doffset, In dy,
                               In x, In offset, In weight) {
  const Conv& s = d.conv;
  const int64_t taps = s.R * s.S, pixels = s.N * s.P * s.Q, image = s.N * s.H * s.W * s.C;
  const Scratch<float> read(ex, pixels * taps * s.C);
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    tile_product(ex, ReadProduct<T>(s, read.data(), dy.as<T>(), weight.as<T>()));
    if (doffset.data != nullptr)
      launch(ex, one_each(pixels * d.offset_groups * taps), offset_grad_kernel<T>, d,
             doffset.as<T>(), read.data(), x.as<T>(), offset.as<T>(),
             pixels * d.offset_groups * taps);
    if (dx.data == nullptr) return;
    const Scratch<unsigned long long> sums(ex, image);
    const Scratch<unsigned> top(ex, 1);
    gpu::zero(ex.device.index, sums.data(), size_t(image) * sizeof(unsigned long long));
    gpu::zero(ex.device.index, top.data(), sizeof(unsigned));
    launch(ex, one_each(pixels * taps * s.C), largest_kernel, top.data(), read.data(),
           pixels * taps * s.C);
    launch(ex, one_each(pixels * taps * s.C), scatter_kernel<T>, d, sums.data(), top.data(),
           read.data(), offset.as<T>(), pixels * taps * s.C);
    launch(ex, one_each(image), unscale_kernel<T>, dx.as<T>(), sums.data(), top.data(), image);
  });
}

void deform_conv_backward_weight(const Exec& ex, const DeformConv& d, Out dweight, In dy, In x,
                                 In offset) {
  const Conv& s = d.conv;
  const int64_t elements = s.K * s.R * s.S * (s.C / s.groups);
  const int64_t parts = parts_of(s.N * s.P * s.Q);
  const Scratch<float> sums(ex, parts * elements);
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    if (parts > 0)
      tile_product(
          ex, DeformWeightProduct<T>(d, sums.data(), x.as<T>(), offset.as<T>(), dy.as<T>()), parts);
    launch(ex, one_each(elements), add_parts_kernel<T>, dweight.as<T>(), sums.data(), elements,
           parts);
  });
}

}  // namespace limber::kernels::cuda
