// Gradients of the deformable convolution. Any result may read any pixel, so the gradient of the
// image is scattered.
#include "kernels/cuda/conv_product.cuh"
#include "kernels/cuda/deform_conv.cuh"
#include "kernels/cuda/scatter.cuh"

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

struct Magnitude {
  const float* x;
  __device__ float operator()(int64_t i) const { return fabsf(x[i]); }
};

// One thread per number of `read`.
template <class T>
__global__ void deform_scatter_kernel(DeformConv d, Scatter to, const float* read, const T* offset,
                                      int64_t elements) {
  const Conv& s = d.conv;
  const int64_t taps = s.R * s.S;
  const double scale = to.scale();
  for (for_each_item(i, elements)) {
    const int64_t c = i % s.C, o = c / (s.C / d.offset_groups);
    const int64_t at = (i / s.C / taps * d.offset_groups + o) * taps + i / s.C % taps;
    const Tap tap = tap_number(d, at);
    Place place;
    if (!find_place(place, d, tap, at, offset)) continue;
    for (int corner = 0; corner < 4; ++corner)
      if (place.factor[corner] != 0)
        to.add((tap.n * s.H * s.W + place.at[corner]) * s.C + c, read[i] * place.factor[corner],
               scale);
  }
}

// One thread per offset: the channels of its group.
template <class T>
__global__ void offset_grad_kernel(DeformConv d, T* doffset, const float* read, const T* x,
                                   const T* offset, int64_t pairs) {
  const Conv& s = d.conv;
  const int64_t size = s.C / d.offset_groups;
  for (for_each_item(at, pairs)) {
    const Tap tap = tap_number(d, at);
    float row = 0, column = 0;
    Place place;
    if (find_place(place, d, tap, at, offset)) {
      const T* image = x + tap.n * s.H * s.W * s.C + tap.o * size;
      const float* from = read + (tap.pixel * s.R * s.S + tap.t) * s.C + tap.o * size;
      for (int64_t c = 0; c < size; ++c) {
        row += from[c] * read_place(place, place.by_row, image + c, s.C);
        column += from[c] * read_place(place, place.by_column, image + c, s.C);
      }
    }
    doffset[at * 2] = narrow<T>(row);
    doffset[at * 2 + 1] = narrow<T>(column);
  }
}

}  // namespace

void deform_conv_backward_data(const Exec& ex, const DeformConv& d, Out dx, Out doffset, In dy,
                               In x, In offset, In weight) {
  const Conv& s = d.conv;
  const int64_t taps = s.N * s.P * s.Q * s.R * s.S, pairs = taps * d.offset_groups;
  const Scratch<float> read(ex, taps * s.C);
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    tile_product(ex, ReadProduct<T>(s, read.data(), dy.as<T>(), weight.as<T>()));
    if (doffset.data != nullptr)
      launch(ex, one_each(pairs), offset_grad_kernel<T>, d, doffset.as<T>(), read.data(), x.as<T>(),
             offset.as<T>(), pairs);
    if (dx.data == nullptr) return;
    const ScatterSums sums(ex, s.N * s.H * s.W * s.C);
    sums.bound(Magnitude{read.data()}, taps * s.C);
    launch(ex, one_each(taps * s.C), deform_scatter_kernel<T>, d, sums.view(), read.data(),
           offset.as<T>(), taps * s.C);
    sums.store(dx.as<T>());
  });
}

void deform_conv_backward_weight(const Exec& ex, const DeformConv& d, Out dweight, In dy, In x,
                                 In offset) {
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    const DeformedPatches<T> patches{d, x.as<T>(), offset.as<T>()};
    weight_product(ex, d.conv, patches, dweight.as<T>(), dy.as<T>());
  });
}

}  // namespace limber::kernels::cuda
