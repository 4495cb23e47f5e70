// Deformable convolution, forward: what the taps of one row of results read is gathered, then
// multiplied with the filters, whose numbers are turned round so that a vector holds several
// filters.
#include "kernels/deform_conv.h"

#include "kernels/cpu/deform_place.h"
#include "kernels/cpu/simd.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

constexpr int64_t kPixels = 4;  // results that share the loads of a filter

// columns: (Q, R, S, C / groups), what the results of row p read of the channels of group g.
template <class T>
void gather_row(T* columns, const DeformConv& d, const T* image, const T* offset, int64_t p,
                int64_t g) {
  const Conv& s = d.conv;
  const int64_t channels = s.C / s.groups, size = s.C / d.offset_groups, taps = s.R * s.S;
  const int64_t begin = g * channels;
  for (int64_t q = 0; q < s.Q; ++q)
    for (int64_t t = 0; t < taps; ++t) {
      const int64_t h = p * s.stride_h - s.pad_h + t / s.S * s.dilation_h;
      const int64_t w = q * s.stride_w - s.pad_w + t % s.S * s.dilation_w;
      T* to = columns + (q * taps + t) * channels;
      for_groups(begin, begin + channels, size, [&](int64_t c0, int64_t c1) {
        Place<T> place;
        const T* shift = offset + ((q * d.offset_groups + c0 / size) * taps + t) * 2;
        const bool inside = find_place(place, s, h, w, shift);
        for_lanes<T>(c1 - c0, [&](int64_t c, int64_t m) {
          store(to + c0 - begin + c,
                inside ? read_place(place, place.factor, image + c0 + c, s.C, m) : Vec<T>{}, m);
        });
      });
    }
}

// y[q, k] = bias[k] + sum_j columns[q, j] filters[j, k] for `count` <= kPixels results, k < K.
template <class T>
void multiply_pixels(T* y, int64_t stride, const T* columns, const T* filters, const T* bias,
                     int64_t J, int64_t K, int64_t count) {
  for_lanes<T>(K, [&](int64_t k, int64_t m) {
    Vec<T> total[kPixels];
    const T* from[kPixels];
    for (int64_t i = 0; i < kPixels; ++i) {
      total[i] = bias != nullptr ? load(bias + k, m) : Vec<T>{};
      from[i] = columns + (i < count ? i : 0) * J;
    }
    for (int64_t j = 0; j < J; ++j) {
      const Vec<T> filter = load(filters + j * K + k, m);
      for (int64_t i = 0; i < kPixels; ++i) total[i] += filter * from[i][j];
    }
    for (int64_t i = 0; i < count; ++i) store(y + i * stride + k, total[i], m);
  });
}

// weight: (groups K, J) -> filters (groups, J, K).
template <class T>
void turn_filters(T* filters, const T* weight, int64_t groups, int64_t K, int64_t J) {
  for (int64_t g = 0; g < groups; ++g)
    for (int64_t k = 0; k < K; ++k)
      for (int64_t j = 0; j < J; ++j) filters[(g * J + j) * K + k] = weight[(g * K + k) * J + j];
}

}  // namespace

void deform_conv_forward(const Exec& ex, const DeformConv& d, Out y, In x, In offset, In weight,
                         In bias) {
  const Conv& s = d.conv;
  const int64_t K = s.K / s.groups, J = s.R * s.S * (s.C / s.groups);
  by_float_type(y.dtype, [&]<class T>(T) {
    parallel_for(ex, s.N * s.P, 1, [&](int64_t begin, int64_t end) {
      T* filters = static_cast<T*>(thread_scratch(size_t(s.K * J + s.Q * J) * sizeof(T)));
      T* columns = filters + s.K * J;
      turn_filters(filters, weight.as<T>(), s.groups, K, J);
      for (int64_t row = begin; row < end; ++row) {
        const T* image = x.as<T>() + row / s.P * s.H * s.W * s.C;
        const T* shifts = offset.as<T>() + row * s.Q * d.offset_groups * s.R * s.S * 2;
        for (int64_t g = 0; g < s.groups; ++g) {
          gather_row(columns, d, image, shifts, row % s.P, g);
          for (int64_t q = 0; q < s.Q; q += kPixels)
            multiply_pixels(y.as<T>() + (row * s.Q + q) * s.K + g * K, s.K, columns + q * J,
                            filters + g * J * K,
                            bias.data != nullptr ? bias.as<T>() + g * K : nullptr, J, K,
                            s.Q - q < kPixels ? s.Q - q : kPixels);
        }
      }
    });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
