// Where a tap of a deformable convolution reads; the CPU's kernels/cpu/deform_place.h, in float.
#pragma once

#include "kernels/cuda/launch.cuh"
#include "kernels/deform_conv.h"

namespace limber::kernels::cuda {

// Four pixels of the image (H W of them), the factor of each, and the derivatives of the factors by
// row and column; pixels outside of the image have factors of 0.
struct Place {
  int64_t at[4];
  float factor[4], by_row[4], by_column[4];
};

// The place that offsets (dh, dw) give tap t of result (p, q). False where nothing is read.
template <class T>
__device__ bool find_place(Place& place, const Conv& s, int64_t p, int64_t q, int64_t t,
                           const T* offset) {
  const int64_t h = p * s.stride_h - s.pad_h + t / s.S * s.dilation_h;
  const int64_t w = q * s.stride_w - s.pad_w + t % s.S * s.dilation_w;
  const float row = float(h) + widen(offset[0]), column = float(w) + widen(offset[1]);
  // Not a number is outside, too.
  if (!(row > -1 && row < float(s.H) && column > -1 && column < float(s.W))) return false;
  const int64_t top = int64_t(floorf(row)), left = int64_t(floorf(column));
  const float down = row - float(top), right = column - float(left);
  for (int i = 0; i < 4; ++i) {
    const int64_t y = top + i / 2, x = left + i % 2;
    const bool inside = y >= 0 && y < s.H && x >= 0 && x < s.W;
    const float fy = i / 2 == 0 ? 1 - down : down, fx = i % 2 == 0 ? 1 - right : right;
    place.at[i] = inside ? y * s.W + x : 0;
    place.factor[i] = inside ? fy * fx : 0;
    place.by_row[i] = inside ? (i / 2 == 0 ? -fx : fx) : 0;
    place.by_column[i] = inside ? (i % 2 == 0 ? -fy : fy) : 0;
  }
  return true;
}

// The channel that `image` points to, at the four pixels, weighted by `factor`.
template <class T>
__device__ float read_place(const Place& place, const float* factor, const T* image, int64_t C) {
  float value = 0;
  for (int i = 0; i < 4; ++i) value += widen(image[place.at[i] * C]) * factor[i];
  return value;
}

// What tap t of the result `pixel` (of N P Q) reads of channel c.
template <class T>
__device__ float read_tap(const DeformConv& d, const T* x, const T* offset, int64_t pixel,
                          int64_t t, int64_t c) {
  const Conv& s = d.conv;
  const int64_t q = pixel % s.Q, p = pixel / s.Q % s.P, n = pixel / s.Q / s.P;
  const int64_t o = c / (s.C / d.offset_groups);
  Place place;
  const T* own = offset + ((pixel * d.offset_groups + o) * s.R * s.S + t) * 2;
  if (!find_place(place, s, p, q, t, own)) return 0;
  return read_place(place, place.factor, x + n * s.H * s.W * s.C + c, s.C);
}

}  // namespace limber::kernels::cuda
