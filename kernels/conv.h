// Convolution over images and its gradients; the transposed convolution is the data gradient.
#pragma once

#include "kernels/elementwise.h"
#include "kernels/kernel.h"
#include "kernels/narrow.h"

namespace limber::kernels {

// Geometry of one convolution, x (N, H, W, C) -> y (N, P, Q, K) with weight (K, R, S, C / groups):
//   y[n, p, q, k] = bias[k] + sum over r, s, c of x[n, h, w, g C/groups + c] weight[k, r, s, c],
//   h = p stride_h - pad_h + r dilation_h,  w = q stride_w - pad_w + s dilation_w,
// where g = k / (K / groups) and positions outside of x read as zero.
struct Conv {
  int64_t N = 0, H = 0, W = 0, C = 0;
  int64_t P = 0, Q = 0, K = 0;
  int64_t R = 1, S = 1;
  int64_t stride_h = 1, stride_w = 1, pad_h = 0, pad_w = 0, dilation_h = 1, dilation_w = 1;
  int64_t groups = 1;
};

// A 1 x 1 convolution that reads every pixel once: a matrix product.
LIMBER_INLINE bool is_pointwise(const Conv& s) {
  return s.R == 1 && s.S == 1 && s.stride_h == 1 && s.stride_w == 1 && s.pad_h == 0 &&
         s.pad_w == 0 && s.groups == 1;
}

LIMBER_INLINE bool is_depthwise(const Conv& s) { return s.groups == s.C && s.groups == s.K; }

// bias: (K,) or null.
LIMBER_KERNEL(conv_forward, const Conv& s, Out y, In x, In weight, In bias)

// What a planned convolution does to each result on its way to memory: y = f(conv + bias +
// residual).
struct Epilogue {
  bool acts = false;  // whether there is an f
  UnaryArgs act{Unary::relu};
  In residual{};        // of y's shape, or null; may be y's own memory
  bool packed = false;  // the weight is what conv_pack() or conv_transposed_pack() made of it
  Narrow narrow{};      // what it was made for
};

// Which f an epilogue can be given; the others stay kernels of their own.
constexpr bool fuses(Unary f) {
  switch (f) {
    case Unary::relu:
    case Unary::relu6:
    case Unary::leaky_relu:
    case Unary::clamp:
    case Unary::silu:
    case Unary::gelu:
    case Unary::sigmoid:
    case Unary::tanh:
    case Unary::hard_swish:
    case Unary::hard_sigmoid:
      return true;
    default:
      return false;
  }
}

// A packed weight: how many numbers it has, and in which way the convolution will read it. The way
// depends on the geometry, batch included; geometries of one form can share the numbers. They are
// f32, or of the precision: bf16, or bytes.
struct PackedForm {
  int64_t numbers = 0, form = 0;
};

// Whether a convolution and its transposed sibling can be computed in narrow numbers.
LIMBER_INLINE bool can_be_narrow(const Conv& s) {
  constexpr int64_t kMost = 22, kMostSums = 60000;  // taps per direction; 255 * 127 * sums < 2^31
  return s.groups == 1 && s.R <= kMost && s.S <= kMost && s.R * s.S * s.C <= kMostSums &&
         s.R * s.S * s.K <= kMostSums;
}

// conv_forward with an epilogue. The layout of packed weights is the CPU's instruction set's own; a
// GPU's kernels take weights as they are. The weight that is packed is f32.
LIMBER_KERNEL(conv_fused, const Conv& s, const Epilogue& e, Out y, In x, In weight, In bias)
LIMBER_CPU_KERNEL(conv_packed_form, const Conv& s, const Narrow& n, PackedForm& form)
LIMBER_CPU_KERNEL(conv_pack, const Conv& s, const Narrow& n, Out packed, In weight)

// conv_backward_data with an epilogue: the transposed convolution.
LIMBER_KERNEL(conv_transposed_fused, const Conv& s, const Epilogue& e, Out dx, In dy, In weight,
              In bias)
LIMBER_CPU_KERNEL(conv_transposed_packed_form, const Conv& s, const Narrow& n, PackedForm& form)
LIMBER_CPU_KERNEL(conv_transposed_pack, const Conv& s, const Narrow& n, Out packed, In weight)

// dx[n, h, w, c] = bias[c] + sum over the p, q, r, s, k whose window covers (h, w) of
// dy[n, p, q, k] weight[k, r, s, c].   bias: (C,) or null, for the transposed convolution.
LIMBER_KERNEL(conv_backward_data, const Conv& s, Out dx, In dy, In weight, In bias)

// dweight[k, r, s, c] = sum over n, p, q of dy[n, p, q, k] x[n, h, w, g C/groups + c].
// The order of additions depends on the geometry alone.
LIMBER_KERNEL(conv_backward_weight, const Conv& s, Out dweight, In x, In dy)

}  // namespace limber::kernels
