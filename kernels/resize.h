// Resizing of images: each result pixel is a weighted sum of K x K pixels of the image, K = 1
// (nearest), 2 (linear) or 4 (cubic), the weights a product of one factor per axis.
//
// Conventions are those of torch.nn.functional.interpolate with a given size.
#pragma once

#include "kernels/kernel.h"

namespace limber::kernels {

enum class Filter : uint8_t { nearest, linear, cubic };

// x: (N, H, W, C), y: (N, h, w, C)
struct ResizeShape {
  int64_t N, H, W, C, h, w;
  Filter filter;
  bool align_corners;
};

template <class T, int K>
struct Taps {
  int64_t at[K];
  T weight[K];
};

// Keys 1981 with a = -3/4; x >= 0 is the distance.
LIMBER_INLINE double cubic_weight(double x) {
  constexpr double a = -0.75;
  return x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
}

// What result i of `out` takes from `in` elements along one axis.
template <class T, int K>
LIMBER_INLINE Taps<T, K> taps_at(int64_t in, int64_t out, bool align_corners, int64_t i) {
  Taps<T, K> taps;
  if constexpr (K == 1) {
    // In floats, as PyTorch computes it: some ratios round to the neighbour.
    const float scale = float(in) / float(out);
    const int64_t at = in == out ? i : int64_t(float(i) * scale);
    taps = {{at < in ? at : in - 1}, {T(1)}};
    return taps;
  } else {
    double source;
    if (align_corners) {
      source = out > 1 ? double(in - 1) / double(out - 1) * double(i) : 0;
    } else {
      source = double(in) / double(out) * (double(i) + 0.5) - 0.5;
    }
    if (K == 2 && source < 0) source = 0;
    const double base = __builtin_floor(source), t = source - base;
    for (int k = 0; k < K; ++k) {
      const int64_t at = int64_t(base) + k - (K == 4 ? 1 : 0);
      taps.at[k] = at < 0 ? 0 : at < in ? at : in - 1;
    }
    if constexpr (K == 2) {
      taps.weight[0] = T(1 - t);
      taps.weight[1] = T(t);
    } else {
      taps.weight[0] = T(cubic_weight(t + 1));
      taps.weight[1] = T(cubic_weight(t));
      taps.weight[2] = T(cubic_weight(1 - t));
      taps.weight[3] = T(cubic_weight(2 - t));
    }
    return taps;
  }
}

LIMBER_KERNEL(resize_forward, Out y, In x, const ResizeShape& s)
LIMBER_KERNEL(resize_backward, Out dx, In dy, const ResizeShape& s)

}  // namespace limber::kernels
