// Gradients of the deformable convolution. What a tap read is found again rather than kept.
#include "kernels/cpu/deform_place.h"
#include "kernels/cpu/simd.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

// read[c] = the gradient of what tap t read, for the channels [begin, end): sum_k dy[k] weight[k,
// t, c] over the filters of c's group.
template <class T>
void gradient_of_read(T* read, const Conv& s, const T* dy, const T* weight, int64_t t,
                      int64_t begin, int64_t end) {
  const int64_t channels = s.C / s.groups, filters = s.K / s.groups, taps = s.R * s.S;
  for_groups(begin, end, channels, [&](int64_t c0, int64_t c1) {
    const int64_t g = c0 / channels;
    const T* from = weight + (g * filters * taps + t) * channels + c0 - g * channels;
    for_lanes<T>(c1 - c0, [&](int64_t c, int64_t m) {
      Vec<T> total{};
      for (int64_t k = 0; k < filters; ++k)
        total += load(from + k * taps * channels + c, m) * dy[g * filters + k];
      store(read + c0 - begin + c, total, m);
    });
  });
}

// One tap of one result: adds to dx, and gives the gradient of the two offsets.
template <class T>
void send_back(const Place<T>& place, const T* read, T* dx, T* doffset, const T* image, int64_t C,
               int64_t count) {
  Vec<T> row{}, column{};
  for_lanes<T>(count, [&](int64_t c, int64_t m) {
    const Vec<T> gradient = load(read + c, m);
    if (dx != nullptr) {
      for (int i = 0; i < 4; ++i) {
        if (place.factor[i] == 0) continue;
        T* to = dx + place.at[i] * C + c;
        store(to, load(to, m) + gradient * place.factor[i], m);
      }
    }
    if (doffset != nullptr) {
      row += gradient * read_place(place, place.by_row, image + c, C, m);
      column += gradient * read_place(place, place.by_column, image + c, C, m);
    }
  });
  if (doffset == nullptr) return;
  doffset[0] = reduce_add<T>(row);
  doffset[1] = reduce_add<T>(column);
}

// All of one image that offset group o reads: image, dx (H, W, C), offset, doffset (P, Q, O R S 2).
template <class T>
void group_backward(const DeformConv& d, T* dx, T* doffset, const T* dy, const T* image,
                    const T* offset, const T* weight, int64_t o) {
  const Conv& s = d.conv;
  const int64_t size = s.C / d.offset_groups, begin = o * size, taps = s.R * s.S;
  T* read = static_cast<T*>(thread_scratch(size_t(size) * sizeof(T)));
  for (int64_t pixel = 0; pixel < s.H * s.W && dx != nullptr; ++pixel)
    for_lanes<T>(size,
                 [&](int64_t c, int64_t m) { store(dx + pixel * s.C + begin + c, Vec<T>{}, m); });
  for (int64_t pixel = 0; pixel < s.P * s.Q; ++pixel)
    for (int64_t t = 0; t < taps; ++t) {
      const int64_t h = pixel / s.Q * s.stride_h - s.pad_h + t / s.S * s.dilation_h;
      const int64_t w = pixel % s.Q * s.stride_w - s.pad_w + t % s.S * s.dilation_w;
      const int64_t shift = ((pixel * d.offset_groups + o) * taps + t) * 2;
      T* own = doffset != nullptr ? doffset + shift : nullptr;
      Place<T> place;
      if (!find_place(place, s, h, w, offset + shift)) {
        if (own != nullptr) own[0] = own[1] = 0;
        continue;
      }
      gradient_of_read(read, s, dy + pixel * s.K, weight, t, begin, begin + size);
      send_back(place, read, dx != nullptr ? dx + begin : nullptr, own, image + begin, s.C, size);
    }
}

// sums[k, c] += dy[k] times what tap t of the result read, over a row of results, for group g.
template <class T>
void add_row(T* sums, const DeformConv& d, const T* dy, const T* image, const T* offset, int64_t p,
             int64_t t, int64_t g) {
  const Conv& s = d.conv;
  const int64_t channels = s.C / s.groups, filters = s.K / s.groups, taps = s.R * s.S;
  const int64_t size = s.C / d.offset_groups, begin = g * channels;
  for (int64_t q = 0; q < s.Q; ++q) {
    const int64_t h = p * s.stride_h - s.pad_h + t / s.S * s.dilation_h;
    const int64_t w = q * s.stride_w - s.pad_w + t % s.S * s.dilation_w;
    const T* from = dy + q * s.K + g * filters;
    for_groups(begin, begin + channels, size, [&](int64_t c0, int64_t c1) {
      Place<T> place;
      if (!find_place(place, s, h, w, offset + ((q * d.offset_groups + c0 / size) * taps + t) * 2))
        return;
      for_lanes<T>(c1 - c0, [&](int64_t c, int64_t m) {
        const Vec<T> read = read_place(place, place.factor, image + c0 + c, s.C, m);
        for (int64_t k = 0; k < filters; ++k) {
          T* to = sums + k * channels + c0 - begin + c;
          store(to, load(to, m) + read * from[k], m);
        }
      });
    });
  }
}

}  // namespace

void deform_conv_backward_data(const Exec& ex, const DeformConv& d, Out dx, Out doffset, In dy,
                               In x, In offset, In weight) {
  const Conv& s = d.conv;
  const int64_t image = s.H * s.W * s.C, offsets = s.P * s.Q * d.offset_groups * s.R * s.S * 2;
  by_float_type(x.dtype, [&]<class T>(T) {
    parallel_for(ex, s.N * d.offset_groups, 1, [&](int64_t begin, int64_t end) {
      for (int64_t job = begin; job < end; ++job) {
        const int64_t n = job / d.offset_groups;
        group_backward(d, dx.data != nullptr ? dx.as<T>() + n * image : nullptr,
                       doffset.data != nullptr ? doffset.as<T>() + n * offsets : nullptr,
                       dy.as<T>() + n * s.P * s.Q * s.K, x.as<T>() + n * image,
                       offset.as<T>() + n * offsets, weight.as<T>(), job % d.offset_groups);
      }
    });
  });
}

void deform_conv_backward_weight(const Exec& ex, const DeformConv& d, Out dweight, In dy, In x,
                                 In offset) {
  const Conv& s = d.conv;
  const int64_t channels = s.C / s.groups, filters = s.K / s.groups, taps = s.R * s.S;
  const int64_t block = filters * channels, offsets = s.Q * d.offset_groups * taps * 2;
  by_float_type(x.dtype, [&]<class T>(T) {
    parallel_for(ex, s.groups * taps, 1, [&](int64_t begin, int64_t end) {
      // Rows are summed in T, the rows' sums in f64.
      double* totals =
          static_cast<double*>(thread_scratch(size_t(block) * (sizeof(double) + sizeof(T))));
      T* sums = reinterpret_cast<T*>(totals + block);
      for (int64_t job = begin; job < end; ++job) {
        const int64_t g = job / taps, t = job % taps;
        for (int64_t i = 0; i < block; ++i) totals[i] = 0;
        for (int64_t row = 0; row < s.N * s.P; ++row) {
          for (int64_t i = 0; i < block; ++i) sums[i] = 0;
          add_row(sums, d, dy.as<T>() + row * s.Q * s.K, x.as<T>() + row / s.P * s.H * s.W * s.C,
                  offset.as<T>() + row * offsets, row % s.P, t, g);
          for (int64_t i = 0; i < block; ++i) totals[i] += double(sums[i]);
        }
        for (int64_t k = 0; k < filters; ++k)
          for (int64_t c = 0; c < channels; ++c)
            dweight.as<T>()[((g * filters + k) * taps + t) * channels + c] =
                T(totals[k * channels + c]);
      }
    });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
