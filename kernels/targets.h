// Training targets made of bell curves: heat maps, and the distributions of SimCC.
#pragma once

#include "kernels/kernel.h"

namespace limber::kernels {

// At i = first ... first + count - 1: height exp(factor (i - first - centre)^2), elsewhere `base`.
struct Bell {
  double centre = 0, factor = 0, height = 0;
  float base = 0;
  int32_t first = 0, count = 0;
};

// y[r, i] = bell r at i.   y: f32 (rows, n), bells: rows structs Bell where y lies.
LIMBER_KERNEL(draw_lines, Out y, In bells, int64_t rows, int64_t n)

// y[k, h, w] = the largest over n of (bells[k, n, 0] at w) (bells[k, n, 1] at h), and of 0.
// y: f32 (K, H, W), bells: (K, N, 2) structs Bell with base 0 where y lies.
LIMBER_KERNEL(draw_maps, Out y, In bells, int64_t K, int64_t N, int64_t H, int64_t W)

}  // namespace limber::kernels
