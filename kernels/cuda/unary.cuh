// The unary functions on the GPU: value and derivative, in float. Sources of the formulas stand in
// kernels/cpu/unary.h, the specification of these.
#pragma once

#include "kernels/cuda/launch.cuh"
#include "kernels/elementwise.h"

namespace limber::kernels::cuda {

__device__ __forceinline__ float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }
__device__ __forceinline__ float clip(float x, float low, float high) {
  return fminf(fmaxf(x, low), high);
}

// Each struct: value(x) = f(x), slope(s) = f'(x) where s is f(x) or x as derivative_from_output
// says; a and b are the function's parameters.
#define LIMBER_UNARY(Name, VALUE, SLOPE)                                                     \
  struct Name {                                                                              \
    float a, b;                                                                              \
    __device__ __forceinline__ float value([[maybe_unused]] float x) const { return VALUE; } \
    __device__ __forceinline__ float slope([[maybe_unused]] float s) const { return SLOPE; } \
  };

// From the result.
LIMBER_UNARY(Relu, x<0 ? 0.0f : x, s> 0 ? 1.0f : 0.0f)
LIMBER_UNARY(Relu6, clip(x, 0.0f, 6.0f), s > 0 && s < 6 ? 1.0f : 0.0f)
LIMBER_UNARY(Exp, expf(x), s)
LIMBER_UNARY(Sqrt, sqrtf(x), 0.5f / s)
LIMBER_UNARY(Sigmoid, sigmoid(x), s*(1 - s))
LIMBER_UNARY(Tanh, tanhf(x), 1 - s * s)
LIMBER_UNARY(LeakyRelu, x > 0 ? x : x * a, s > 0 ? 1.0f : a)

// From the input.
LIMBER_UNARY(Neg, -x, -1.0f)
LIMBER_UNARY(Abs, fabsf(x), s > 0 ? 1.0f : (s < 0 ? -1.0f : 0.0f))
LIMBER_UNARY(Square, x* x, 2 * s)
LIMBER_UNARY(Log, logf(x), 1 / s)
LIMBER_UNARY(Log1p, log1pf(x), 1 / (1 + s))
LIMBER_UNARY(Sin, sinf(x), cosf(s))
LIMBER_UNARY(Cos, cosf(x), -sinf(s))
LIMBER_UNARY(Erf, erff(x), 1.1283791670955126f * expf(-s * s))
LIMBER_UNARY(Silu, x* sigmoid(x), sigmoid(s) * (1 + s * (1 - sigmoid(s))))
LIMBER_UNARY(Gelu, x * 0.5f * (1 + erff(x * 0.7071067811865476f)),
             0.5f * (1 + erff(s * 0.7071067811865476f)) +
                 s * 0.3989422804014327f * expf(-0.5f * s * s))
LIMBER_UNARY(HardSwish, x* clip(x + 3, 0.0f, 6.0f) / 6,
             s <= -3 ? 0.0f : (s >= 3 ? 1.0f : s / 3 + 0.5f))
LIMBER_UNARY(HardSigmoid, clip((x + a) / b, 0.0f, 1.0f), s > -a && s < b - a ? 1.0f / b : 0.0f)
LIMBER_UNARY(Clamp, clip(x, a, b), s >= a && s <= b ? 1.0f : 0.0f)
LIMBER_UNARY(PowerOf, powf(x, a), a* powf(s, a - 1))
LIMBER_UNARY(Scale, x* a + b, a)
LIMBER_UNARY(Reciprocal, 1 / x, -1 / (s * s))
LIMBER_UNARY(Softplus, fmaxf(x, 0.0f) + log1pf(expf(-fabsf(x))), sigmoid(s))

// Without gradient.
LIMBER_UNARY(Sign, x > 0 ? 1.0f : (x < 0 ? -1.0f : 0.0f), 0.0f)
LIMBER_UNARY(Floor, floorf(x), 0.0f)
LIMBER_UNARY(Round, rintf(x), 0.0f)
LIMBER_UNARY(IsPositive, x > 0 ? 1.0f : 0.0f, 0.0f)

#undef LIMBER_UNARY

// Calls body with the function object that `args` names.
template <class Body>
void by_unary(UnaryArgs args, const Body& body) {
  const float a = float(args.a), b = float(args.b);
  switch (args.f) {
    case Unary::relu:
      return body(Relu{a, b});
    case Unary::relu6:
      return body(Relu6{a, b});
    case Unary::exp:
      return body(Exp{a, b});
    case Unary::sqrt:
      return body(Sqrt{a, b});
    case Unary::sigmoid:
      return body(Sigmoid{a, b});
    case Unary::tanh:
      return body(Tanh{a, b});
    case Unary::leaky_relu:
      return body(LeakyRelu{a, b});
    case Unary::neg:
      return body(Neg{a, b});
    case Unary::abs:
      return body(Abs{a, b});
    case Unary::square:
      return body(Square{a, b});
    case Unary::log:
      return body(Log{a, b});
    case Unary::log1p:
      return body(Log1p{a, b});
    case Unary::sin:
      return body(Sin{a, b});
    case Unary::cos:
      return body(Cos{a, b});
    case Unary::erf:
      return body(Erf{a, b});
    case Unary::silu:
      return body(Silu{a, b});
    case Unary::gelu:
      return body(Gelu{a, b});
    case Unary::hard_swish:
      return body(HardSwish{a, b});
    case Unary::hard_sigmoid:
      return body(HardSigmoid{a, b});
    case Unary::clamp:
      return body(Clamp{a, b});
    case Unary::power:
      return body(PowerOf{a, b});
    case Unary::scale:
      return body(Scale{a, b});
    case Unary::reciprocal:
      return body(Reciprocal{a, b});
    case Unary::softplus:
      return body(Softplus{a, b});
    case Unary::sign:
      return body(Sign{a, b});
    case Unary::floor:
      return body(Floor{a, b});
    case Unary::round:
      return body(Round{a, b});
    case Unary::is_positive:
      return body(IsPositive{a, b});
  }
}

}  // namespace limber::kernels::cuda
