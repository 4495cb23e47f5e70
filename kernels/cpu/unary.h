// The unary functions: value and derivative, on vectors and with one text for f32 and f64.
//
// Adding one: a struct here, an enumerator in kernels/elementwise.h, a front in tensor/ops.h and a
// row in tests/ops/cases/elementwise.cpp.
#pragma once

#include "kernels/cpu/simd.h"
#include "kernels/elementwise.h"

namespace limber::kernels::cpu::LIMBER_ISA {

// x^a. Whole exponents to 8, which is what focal losses have, are products of squares;
// the library's pow, one lane at a time, took a third of the training step of CID.
template <class T>
LIMBER_INLINE Vec<T> power(Vec<T> x, T a) {
  const bool small = a >= 0 && a <= 8;
  if (!small || T(int(a)) != a) return by_lane<T>(x, [a](T v) { return T(__builtin_pow(v, a)); });
  Vec<T> product = splat(T(1));
  for (int rest = int(a); rest > 0; rest /= 2, x *= x)
    if (rest % 2 == 1) product *= x;
  return product;
}

// Each struct: value(x) = f(x), slope(s) = f'(x) where s is f(x) or x as derivative_from_output
// says; a and b are the function's parameters.
#define LIMBER_UNARY(Name, VALUE, SLOPE)                                \
  template <class T>                                                    \
  struct Name {                                                         \
    using V = Vec<T>;                                                   \
    T a, b;                                                             \
    LIMBER_INLINE V value([[maybe_unused]] V x) const { return VALUE; } \
    LIMBER_INLINE V slope([[maybe_unused]] V s) const { return SLOPE; } \
  };

#define ZERO splat(T(0))
#define ONE splat(T(1))

// From the result.
LIMBER_UNARY(Relu, max(x, ZERO), s > 0 ? ONE : ZERO)
LIMBER_UNARY(Relu6, min(max(x, ZERO), splat(T(6))), (s > 0) & (s < 6) ? ONE : ZERO)
LIMBER_UNARY(Exp, exp(x), s)
LIMBER_UNARY(Sqrt, cpu::LIMBER_ISA::sqrt<T>(x), T(0.5) / s)
LIMBER_UNARY(Sigmoid, sigmoid(x), s*(1 - s))
LIMBER_UNARY(Tanh, tanh(x), 1 - s * s)
LIMBER_UNARY(LeakyRelu, x > 0 ? x : x * a, s > 0 ? ONE : splat(a))

// From the input.
LIMBER_UNARY(Neg, -x, splat(T(-1)))
LIMBER_UNARY(Abs, abs(x), s > 0 ? ONE : (s < 0 ? -ONE : ZERO))
LIMBER_UNARY(Square, x* x, 2 * s)
LIMBER_UNARY(Log, log(x), 1 / s)
LIMBER_UNARY(Log1p, by_lane<T>(x, [](T v) { return T(__builtin_log1p(v)); }), 1 / (1 + s))
LIMBER_UNARY(Sin, by_lane<T>(x, [](T v) { return T(__builtin_sin(v)); }),
             by_lane<T>(s, [](T v) { return T(__builtin_cos(v)); }))
LIMBER_UNARY(Cos, by_lane<T>(x, [](T v) { return T(__builtin_cos(v)); }),
             -by_lane<T>(s, [](T v) { return T(__builtin_sin(v)); }))
// 2 / sqrt(pi) exp(-x^2)
LIMBER_UNARY(Erf, erf(x), T(1.1283791670955126) * exp(-s * s))
// x sigmoid(x); Elfwing et al. 2017, arXiv 1702.03118.
LIMBER_UNARY(Silu, x* sigmoid(x), sigmoid(s) * (1 + s * (1 - sigmoid(s))))
// x Phi(x) with the exact normal distribution; Hendrycks and Gimpel 2016, arXiv 1606.08415.
LIMBER_UNARY(Gelu, x* T(0.5) * (1 + erf(x * T(0.7071067811865476))),
             T(0.5) * (1 + erf(s * T(0.7071067811865476))) +
                 s * T(0.3989422804014327) * exp(T(-0.5) * s * s))
// x clip(x + 3, 0, 6) / 6; Howard et al. 2019, arXiv 1905.02244.
LIMBER_UNARY(HardSwish, x* min(max(x + 3, ZERO), splat(T(6))) / 6,
             s <= -3 ? ZERO : (s >= 3 ? ONE : s / 3 + T(0.5)))
LIMBER_UNARY(HardSigmoid, min(max((x + a) / b, ZERO), ONE),
             (s > -a) & (s < b - a) ? splat(T(1) / b) : ZERO)
LIMBER_UNARY(Clamp, min(max(x, splat(a)), splat(b)), (s >= a) & (s <= b) ? ONE : ZERO)
LIMBER_UNARY(Power, power(x, a), a* power(s, a - 1))
LIMBER_UNARY(Scale, x* a + b, splat(a))
LIMBER_UNARY(Reciprocal, 1 / x, -1 / (s * s))
// log(1 + e^x), without overflow and without losing e^x where it is small.
LIMBER_UNARY(Softplus,
             max(x, ZERO) + by_lane<T>(exp(-abs(x)), [](T v) { return T(__builtin_log1p(v)); }),
             sigmoid(s))

// Without gradient.
LIMBER_UNARY(Sign, x > 0 ? ONE : (x < 0 ? -ONE : ZERO), ZERO)
LIMBER_UNARY(Floor, by_lane<T>(x, [](T v) { return T(__builtin_floor(v)); }), ZERO)
LIMBER_UNARY(Round, by_lane<T>(x, [](T v) { return T(__builtin_nearbyint(v)); }), ZERO)
LIMBER_UNARY(IsPositive, x > 0 ? ONE : ZERO, ZERO)

#undef ZERO
#undef ONE
#undef LIMBER_UNARY

// Calls body with the function object that `args` names.
template <class T, class Body>
LIMBER_INLINE void by_unary(UnaryArgs args, const Body& body) {
  const T a = T(args.a), b = T(args.b);
  switch (args.f) {
    case Unary::relu:
      return body(Relu<T>{a, b});
    case Unary::relu6:
      return body(Relu6<T>{a, b});
    case Unary::exp:
      return body(Exp<T>{a, b});
    case Unary::sqrt:
      return body(Sqrt<T>{a, b});
    case Unary::sigmoid:
      return body(Sigmoid<T>{a, b});
    case Unary::tanh:
      return body(Tanh<T>{a, b});
    case Unary::leaky_relu:
      return body(LeakyRelu<T>{a, b});
    case Unary::neg:
      return body(Neg<T>{a, b});
    case Unary::abs:
      return body(Abs<T>{a, b});
    case Unary::square:
      return body(Square<T>{a, b});
    case Unary::log:
      return body(Log<T>{a, b});
    case Unary::log1p:
      return body(Log1p<T>{a, b});
    case Unary::sin:
      return body(Sin<T>{a, b});
    case Unary::cos:
      return body(Cos<T>{a, b});
    case Unary::erf:
      return body(Erf<T>{a, b});
    case Unary::silu:
      return body(Silu<T>{a, b});
    case Unary::gelu:
      return body(Gelu<T>{a, b});
    case Unary::hard_swish:
      return body(HardSwish<T>{a, b});
    case Unary::hard_sigmoid:
      return body(HardSigmoid<T>{a, b});
    case Unary::clamp:
      return body(Clamp<T>{a, b});
    case Unary::power:
      return body(Power<T>{a, b});
    case Unary::scale:
      return body(Scale<T>{a, b});
    case Unary::reciprocal:
      return body(Reciprocal<T>{a, b});
    case Unary::softplus:
      return body(Softplus<T>{a, b});
    case Unary::sign:
      return body(Sign<T>{a, b});
    case Unary::floor:
      return body(Floor<T>{a, b});
    case Unary::round:
      return body(Round<T>{a, b});
    case Unary::is_positive:
      return body(IsPositive<T>{a, b});
  }
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
