// The fast f32 convolution for any geometry: windows gathered from an image times packed weights.
// Forward it runs once; the data gradient is one such product per phase of the stride.
#pragma once

#include "kernels/cpu/activation.h"
#include "kernels/cpu/conv_gather.h"
#include "kernels/exec.h"

namespace limber::kernels::cpu::LIMBER_ISA {

// out[n, i step_h + at_h, j step_w + at_w, g filters + f] =
//     bias[...] + sum over taps t and channels c of in(position (i, j), tap t, g channels + c)
//                                                   weight(f, t, c)
struct Product {
  Gather gather;
  float* out;  // (N, H, W, K)
  int64_t H, W, K, step_h, step_w, at_h, at_w;
  int64_t groups, channels, filters;  // the last two per group
  // weight(f, t, c) of group g: the number f and c select in the tap (r, s) of a
  // (K, R, S, C / groups) weight, where either may be the first dimension.
  const float* weight;
  int64_t S, tap_size, row_size;  // row_size: R S C / groups
  bool filter_first;
  const float* bias;  // null or (K,)

  // Of plans: the weight packed ahead, what is added to the result (at the same places; may be
  // `out`), and the function over all of it.
  const float* packed = nullptr;
  const float* residual = nullptr;
  Activation act{};
};

void multiply_windows(const Exec& ex, const Product& p);

// Part of a tap's weight with the filters side by side: to[c, f], (length, width), for channels
// [c, c + length) and `count` filters from n on of a group; 0 from `count` on.
void pack_tap(const Product& p, float* to, int64_t group, int64_t tap, int64_t c, int64_t length,
              int64_t n, int64_t count, int64_t width);

// Writes all of the weight as multiply_windows() reads it from `packed`; how many numbers that is,
// and in which form: 0 are panels, the others Winograd's.
void pack_product(const Product& p, float* packed);
PackedForm packed_form(const Product& p);

// The weight gradient: dweight (K, R, S, C / groups) = windows of x, transposed, times dy.
void weight_by_windows(const Exec& ex, const Conv& s, float* dweight, const float* x,
                       const float* dy);

}  // namespace limber::kernels::cpu::LIMBER_ISA
