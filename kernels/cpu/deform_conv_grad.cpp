// Gradients of the deformable convolution. What a tap read is found again rather than kept.
//
// Sums stay in vectors or in scratch whose pixels are whole vectors apart: a masked store cannot be
// forwarded to the load that follows it, and groups of 8 channels waited for that at every tap.
#include "kernels/cpu/deform_place.h"
#include "kernels/cpu/simd.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

constexpr int64_t kFilters = 8;  // filters whose gradients share the loads of what was read

// `count` and what is missing to whole vectors.
template <class T>
int64_t whole_vectors(int64_t count) {
  return (count + kLanes<T> - 1) / kLanes<T> * kLanes<T>;
}

// read[c] = the gradient of what tap t read, for the channels [begin, end): sum_k dy[k] weight[k,
// t, c] over the filters of c's group. Writes whole vectors.
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
      store(read + c0 - begin + c, total);
    });
  });
}

// One tap of one result: adds to dx, and gives the gradient of the two offsets. image, dx: whole
// vectors for each pixel, `width` numbers; null: not wanted.
template <class T>
void send_back(const Place<T>& place, const T* read, T* dx, T* doffset, const T* image,
               int64_t width) {
  Vec<T> row{}, column{};
  for (int64_t c = 0; c < width; c += kLanes<T>) {
    const Vec<T> gradient = load(read + c);
    if (dx != nullptr) {
      for (int i = 0; i < 4; ++i) {
        if (place.factor[i] == 0) continue;
        T* to = dx + place.at[i] * width + c;
        store(to, load(to) + gradient * place.factor[i]);
      }
    }
    if (doffset != nullptr) {
      row += gradient * read_place(place, place.by_row, image + c, width, kLanes<T>);
      column += gradient * read_place(place, place.by_column, image + c, width, kLanes<T>);
    }
  }
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
  const int64_t width = whole_vectors<T>(size), pixels = s.H * s.W;
  // The group's channels of the image and of dx, and one tap's gradient, which is written in
  // vectors that may begin anywhere in it.
  T* own_image =
      static_cast<T*>(thread_scratch(size_t(2 * pixels * width + width + kLanes<T>) * sizeof(T)));
  T* own_dx = own_image + pixels * width;
  T* read = own_dx + pixels * width;
  for (int64_t c = 0; c < width; ++c) read[c] = 0;
  for (int64_t pixel = 0; pixel < pixels; ++pixel)
    for_lanes<T>(size, [&](int64_t c, int64_t m) {
      store(own_image + pixel * width + c, load(image + pixel * s.C + begin + c, m));
      store(own_dx + pixel * width + c, Vec<T>{});
    });
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
      send_back(place, read, dx != nullptr ? own_dx : nullptr, own, own_image, width);
    }
  for (int64_t pixel = 0; pixel < pixels && dx != nullptr; ++pixel)
    for_lanes<T>(size, [&](int64_t c, int64_t m) {
      store(dx + pixel * s.C + begin + c, load(own_dx + pixel * width + c), m);
    });
}

// column: (Q, width), what tap t of the results of row p read of the channels of group g, and 0.
template <class T>
void gather_tap(T* column, int64_t width, const DeformConv& d, const T* image, const T* offset,
                int64_t p, int64_t t, int64_t g) {
  const Conv& s = d.conv;
  const int64_t channels = s.C / s.groups, taps = s.R * s.S;
  const int64_t size = s.C / d.offset_groups, begin = g * channels;
  const int64_t h = p * s.stride_h - s.pad_h + t / s.S * s.dilation_h;
  for (int64_t q = 0; q < s.Q; ++q) {
    const int64_t w = q * s.stride_w - s.pad_w + t % s.S * s.dilation_w;
    for_groups(begin, begin + channels, size, [&](int64_t c0, int64_t c1) {
      Place<T> place;
      const T* shift = offset + ((q * d.offset_groups + c0 / size) * taps + t) * 2;
      T* to = column + q * width + c0 - begin;
      if (!find_place(place, s, h, w, shift)) {
        for (int64_t c = 0; c < c1 - c0; ++c) to[c] = 0;
        return;
      }
      for_lanes<T>(c1 - c0, [&](int64_t c, int64_t m) {
        store(to + c, read_place(place, place.factor, image + c0 + c, s.C, m));
      });
    });
  }
}

// totals[k, c] += sum_q dy[q, k] column[q, c], for the filters and channels of one group; a row of
// results is summed in T. dy: (Q, K) from the group's first filter on.
template <class T>
void add_row(double* totals, const Conv& s, const T* dy, const T* column, int64_t width) {
  const int64_t channels = s.C / s.groups, filters = s.K / s.groups;
  for (int64_t c = 0; c < channels; c += kLanes<T>)
    for (int64_t first = 0; first < filters; first += kFilters) {
      const int64_t count = filters - first < kFilters ? filters - first : kFilters;
      // Filters past the last one repeat it, so that the loop has a fixed length.
      int64_t at[kFilters];
      for (int64_t k = 0; k < kFilters; ++k) at[k] = first + (k < count ? k : count - 1);
      Vec<T> sums[kFilters] = {};
      for (int64_t q = 0; q < s.Q; ++q) {
        const Vec<T> read = load(column + q * width + c);
#pragma GCC unroll 8
        for (int64_t k = 0; k < kFilters; ++k) sums[k] += read * dy[q * s.K + at[k]];
      }
      const int64_t lanes = channels - c < kLanes<T> ? channels - c : kLanes<T>;
      for (int64_t k = 0; k < count; ++k) {
        T sum[kLanes<T>];
        store(sum, sums[k]);
        double* to = totals + (first + k) * channels + c;
        for (int64_t lane = 0; lane < lanes; ++lane) to[lane] += double(sum[lane]);
      }
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
    // Vectors begin at any channel of an offset group, so the last may reach over the width.
    const int64_t width = whole_vectors<T>(channels), row_size = s.Q * width + kLanes<T>;
    parallel_for(ex, s.groups * taps, 1, [&](int64_t begin, int64_t end) {
      // Rows are summed in T, the rows' sums in f64.
      double* totals = static_cast<double*>(
          thread_scratch(size_t(taps * block) * sizeof(double) + size_t(row_size) * sizeof(T)));
      T* column = reinterpret_cast<T*>(totals + taps * block);
      // The taps of one group go together along the rows, because their offsets lie side by side.
      for (int64_t job = begin; job < end;) {
        const int64_t g = job / taps, t0 = job % taps;
        const int64_t t1 = taps - t0 < end - job ? taps : t0 + end - job;
        for (int64_t i = 0; i < (t1 - t0) * block; ++i) totals[i] = 0;
        for (int64_t row = 0; row < s.N * s.P; ++row)
          for (int64_t t = t0; t < t1; ++t) {
            gather_tap(column, width, d, x.as<T>() + row / s.P * s.H * s.W * s.C,
                       offset.as<T>() + row * offsets, row % s.P, t, g);
            add_row(totals + (t - t0) * block, s, dy.as<T>() + row * s.Q * s.K + g * filters,
                    column, width);
          }
        for (int64_t t = t0; t < t1; ++t)
          for (int64_t k = 0; k < filters; ++k)
            for (int64_t c = 0; c < channels; ++c)
              dweight.as<T>()[((g * filters + k) * taps + t) * channels + c] =
                  T(totals[((t - t0) * filters + k) * channels + c]);
        job += t1 - t0;
      }
    });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
