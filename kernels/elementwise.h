// Operations that treat every element alike.
//
// Shapes: unary kernels see n numbers; binary kernels see a result of up to six dimensions whose
// operands may repeat along some of them (NumPy broadcasting).
#pragma once

#include "kernels/kernel.h"

namespace limber::kernels {

// y = f(x; a, b). The functions and their derivatives stand in kernels/cpu/unary.h.
enum class Unary : uint8_t {
  // derivative from the result y
  relu,
  relu6,
  exp,
  sqrt,
  sigmoid,
  tanh,
  leaky_relu /* slope a > 0 */,
  // derivative from the input x
  neg,
  abs,
  square,
  log,
  log1p,
  sin,
  cos,
  erf,
  silu,
  gelu,
  hard_swish,
  hard_sigmoid /* clip((x + a) / b, 0, 1) */,
  clamp /* to [a, b] */,
  power /* x^a */,
  scale /* a x + b */,
  reciprocal,
  softplus,
  // derivative zero
  sign,
  floor,
  round /* half to even */,
  is_positive /* 1 or 0 */,
};

constexpr bool derivative_from_output(Unary f) { return f <= Unary::leaky_relu; }

struct UnaryArgs {
  Unary f;
  double a = 0, b = 0;
};

// y[i] = f(x[i])
LIMBER_KERNEL(unary_forward, UnaryArgs args, Out y, In x, int64_t n)
// dx[i] = dy[i] f'(...): `saved` is y or x, as derivative_from_output says.
LIMBER_KERNEL(unary_backward, UnaryArgs args, Out dx, In dy, In saved, int64_t n)

enum class Binary : uint8_t {
  add,
  sub,
  mul,
  div,
  power /* a^b */,
  maximum,
  minimum,
  greater,
  greater_equal,
  equal
};

// How two operands of broadcast shapes walk over the result: extents of the result with adjacent
// dimensions merged where possible, and for each the operands' element strides (0: repeats).
struct Broadcast {
  static constexpr int kMaxRank = 6;
  int rank = 0;
  int64_t extent[kMaxRank] = {};
  int64_t stride_a[kMaxRank] = {};
  int64_t stride_b[kMaxRank] = {};
};

// y = f(a, b); the comparisons give 1 or 0 in y's type.
LIMBER_KERNEL(binary_forward, Binary f, Out y, In a, In b, const Broadcast& shape)

// y[i] = mask[i] != 0 ? a[i] : b[i]
LIMBER_KERNEL(where_forward, Out y, In mask, In a, In b, int64_t n)

}  // namespace limber::kernels
