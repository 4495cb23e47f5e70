// What the taps of a deformable convolution read.
#pragma once

#include "kernels/cuda/bilinear.cuh"
#include "kernels/deform_conv.h"

namespace limber::kernels::cuda {

// One tap of one result for one offset group, number `at` of the N P Q O R S of them.
struct Tap {
  int64_t pixel, n, p, q;  // the result, and its indices
  int64_t o, t;            // offset group and tap
};

__device__ inline Tap tap_number(const DeformConv& d, int64_t at) {
  const Conv& s = d.conv;
  const int64_t taps = s.R * s.S, pixel = at / taps / d.offset_groups;
  return {pixel,       pixel / s.Q / s.P,           pixel / s.Q % s.P,
          pixel % s.Q, at / taps % d.offset_groups, at % taps};
}

// Where tap number `at` reads. False where it reads nothing.
template <class T>
__device__ bool find_place(Place& place, const DeformConv& d, const Tap& tap, int64_t at,
                           const T* offset) {
  const Conv& s = d.conv;
  const int64_t h = tap.p * s.stride_h - s.pad_h + tap.t / s.S * s.dilation_h;
  const int64_t w = tap.q * s.stride_w - s.pad_w + tap.t % s.S * s.dilation_w;
  return find_place(place, float(h) + widen(offset[at * 2]), float(w) + widen(offset[at * 2 + 1]),
                    s.H, s.W);
}

// Like Patches of conv_product.cuh.
template <class T>
struct DeformedPatches {
  DeformConv d;
  const T *x, *offset;
  __device__ float operator()(int64_t g, int64_t pixel, int64_t k) const {
    const Conv& s = d.conv;
    const int64_t D = s.C / s.groups, c = g * D + k % D, o = c / (s.C / d.offset_groups);
    const int64_t at = (pixel * d.offset_groups + o) * s.R * s.S + k / D;
    const Tap tap = tap_number(d, at);
    Place place;
    if (!find_place(place, d, tap, at, offset)) return 0;
    return read_place(place, place.factor, x + tap.n * s.H * s.W * s.C + c, s.C);
  }
};

}  // namespace limber::kernels::cuda
