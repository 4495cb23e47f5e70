// Vectors of floats and doubles, as wide as the instruction set this file is compiled for.
//
// GCC's vector extensions give the arithmetic (a * b + c, a < b ? x : y) on every target from one
// text; this header adds loads, tails, reductions and the exponential family. `Vec<T>` has
// `kLanes<T>` elements. Transcendental functions of doubles go through the C library one lane at a
// time: f64 is there to check gradients, not to be fast.
#pragma once

#if defined(LIMBER_ISA_avx512)
#include <immintrin.h>
#endif

#include "kernels/types.h"

namespace limber::kernels::cpu::LIMBER_ISA {

#if defined(LIMBER_ISA_avx512)
constexpr int kVecBytes = 64;
#elif defined(LIMBER_ISA_avx2)
constexpr int kVecBytes = 32;
#else  // base and NEON
constexpr int kVecBytes = 16;
#endif

// The baseline keeps to the plain form of every kernel: it is what the others are tested against.
#if defined(LIMBER_ISA_base)
constexpr bool kBaseline = true;
#else
constexpr bool kBaseline = false;
#endif

template <class T>
struct VecOf {
  typedef T type __attribute__((vector_size(kVecBytes)));
};
template <class T>
using Vec = typename VecOf<T>::type;
template <class T>
constexpr int kLanes = kVecBytes / int(sizeof(T));

// Integers of the same width as T, for masks and bit tricks.
template <class T>
struct BitsOf;
template <>
struct BitsOf<float> {
  using type = int32_t;
};
template <>
struct BitsOf<double> {
  using type = int64_t;
};
template <class T>
using Bits = Vec<typename BitsOf<T>::type>;

template <class T>
LIMBER_INLINE Vec<T> splat(T value) {
  return value - Vec<T>{};  // exact even for -0, so the compiler drops the subtraction
}

template <class T>
LIMBER_INLINE Vec<T> load(const T* p) {
  Vec<T> v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

template <class T>
LIMBER_INLINE void store(T* p, Vec<T> v) {
  __builtin_memcpy(p, &v, sizeof v);
}

// The first n < kLanes elements; the rest reads as zero.
template <class T>
LIMBER_INLINE Vec<T> load_n(const T* p, int64_t n) {
#if defined(LIMBER_ISA_avx512)
  if constexpr (sizeof(T) == 4) {
    return (Vec<T>)_mm512_maskz_loadu_ps(__mmask16((1u << n) - 1), p);
  }
#endif
  Vec<T> v{};
  for (int64_t i = 0; i < n; ++i) v[i] = p[i];
  return v;
}

template <class T>
LIMBER_INLINE void store_n(T* p, Vec<T> v, int64_t n) {
#if defined(LIMBER_ISA_avx512)
  if constexpr (sizeof(T) == 4) {
    _mm512_mask_storeu_ps(p, __mmask16((1u << n) - 1), (__m512)v);
    return;
  }
#endif
  for (int64_t i = 0; i < n; ++i) p[i] = v[i];
}

// body(i, n) for i = 0, kLanes, ...; n is kLanes but for the last, partial step. Inside it,
// load(p + i, n) and store(p + i, v, n) take the short way when n is a whole vector.
template <class T>
LIMBER_INLINE Vec<T> load(const T* p, int64_t n) {
  return n == kLanes<T> ? load(p) : load_n(p, n);
}
template <class T>
LIMBER_INLINE void store(T* p, Vec<T> v, int64_t n) {
  n == kLanes<T> ? store(p, v) : store_n(p, v, n);
}
template <class T, class Body>
LIMBER_INLINE void for_lanes(int64_t count, const Body& body) {
  int64_t i = 0;
  for (; i + kLanes<T> <= count; i += kLanes<T>) body(i, int64_t{kLanes<T>});
  if (i < count) body(i, count - i);
}

// NaN in `a` stays NaN in both.
template <class V>
LIMBER_INLINE V max(V a, V b) {
  return a < b ? b : a;
}
template <class V>
LIMBER_INLINE V min(V a, V b) {
  return b < a ? b : a;
}
LIMBER_INLINE Vec<float> abs(Vec<float> a) { return (Vec<float>)((Bits<float>)a & 0x7fffffff); }
LIMBER_INLINE Vec<double> abs(Vec<double> a) {
  return (Vec<double>)((Bits<double>)a & 0x7fffffffffffffff);
}

template <class T>
LIMBER_INLINE T reduce_add(Vec<T> v) {
  // Pairwise: halves the error of a running sum, and is the same order on every call.
  Bits<T> lane;
  for (int i = 0; i < kLanes<T>; ++i) lane[i] = i;
#pragma GCC unroll 4
  for (int width = kLanes<T> / 2; width > 0; width /= 2)
    v += __builtin_shuffle(v, (lane + width) & (kLanes<T> - 1));
  return v[0];
}

template <class T>
LIMBER_INLINE T reduce_max(Vec<T> v) {
  T best = v[0];
  for (int i = 1; i < kLanes<T>; ++i) best = v[i] > best ? v[i] : best;
  return best;
}

template <class T, class F>
LIMBER_INLINE Vec<T> by_lane(Vec<T> v, const F& f) {
  for (int i = 0; i < kLanes<T>; ++i) v[i] = f(v[i]);
  return v;
}

// Square root; compiled to the vector instruction.
template <class T>
LIMBER_INLINE Vec<T> sqrt(Vec<T> v) {
  if constexpr (sizeof(T) == 4) {
    return by_lane<T>(v, [](T x) { return __builtin_sqrtf(x); });
  } else {
    return by_lane<T>(v, [](T x) { return __builtin_sqrt(x); });
  }
}

// e^x. For floats: x = k ln2 + r with |r| <= ln2 / 2, e^r by its Taylor polynomial of degree 7
// (error below one unit in the last place on that interval), 2^k put into the exponent bits.
// Saturates to 0 and infinity; NaN stays NaN.
LIMBER_INLINE Vec<float> exp(Vec<float> x) {
  const Vec<float> low = splat(-87.3365478515625f), bounded = min(x, splat(89.0f));
  const Vec<float> shifted = bounded * 1.44269504088896341f + 12582912.0f;  // 1.5 * 2^23 rounds
  const Vec<float> k = shifted - 12582912.0f;
  Vec<float> r = bounded - k * 0.693145751953125f;  // ln2 in two parts
  r = r - k * 1.428606765330187045e-6f;
  Vec<float> p = r * (1.0f / 5040) + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
#if defined(LIMBER_ISA_avx512)
  // p 2^k in one instruction, in place of the dozen below.
  p = (Vec<float>)_mm512_maskz_scalef_ps(__mmask16(-1), (__m512)p, (__m512)k);
#else
  // 2^k in two factors, so that neither leaves the range of exponents.
  const Bits<float> ki = __builtin_convertvector(k, Bits<float>);
  const Bits<float> half = ki >> 1;
  p = p * (Vec<float>)((half + 127) << 23) * (Vec<float>)((ki - half + 127) << 23);
#endif
  return x < low ? splat(0.0f) : p;
}
LIMBER_INLINE Vec<double> exp(Vec<double> x) {
  return by_lane<double>(x, [](double v) { return __builtin_exp(v); });
}

// Natural logarithm. For floats: x = m 2^k with m in [sqrt(1/2), sqrt(2)), and
// log m = 2 atanh(s) with s = (m - 1) / (m + 1), as a series in s^2.
LIMBER_INLINE Vec<float> log(Vec<float> x) {
  const Vec<float> tiny = splat(1.17549435e-38f);
  const Bits<float> subnormal = x < tiny;
  const Vec<float> scaled = subnormal ? x * 8388608.0f : x;
  const Bits<float> bits = (Bits<float>)scaled;
  const Bits<float> ki = (bits - 0x3f3504f3) >> 23;
  const Vec<float> m = (Vec<float>)(bits - (ki << 23));
  const Vec<float> k =
      __builtin_convertvector(ki, Vec<float>) - (subnormal ? splat(23.0f) : splat(0.0f));
  const Vec<float> s = (m - 1.0f) / (m + 1.0f);
  const Vec<float> z = s * s;
  Vec<float> p = z * (2.0f / 9) + 2.0f / 7;
  p = p * z + 2.0f / 5;
  p = p * z + 2.0f / 3;
  Vec<float> y = k * 0.693145751953125f + (s * 2.0f + (s * z * p + k * 1.428606765330187045e-6f));
  y = x == 0.0f ? splat(-__builtin_inff()) : y;
  y = x < 0.0f ? splat(__builtin_nanf("")) : y;
  y = x == __builtin_inff() ? x : y;
  return x != x ? x : y;
}
LIMBER_INLINE Vec<double> log(Vec<double> x) {
  return by_lane<double>(x, [](double v) { return __builtin_log(v); });
}

// 1 / x for 1 <= x < 2^100. AVX-512 estimates 14 bits; a Newton step doubles them, to one unit in
// the last place, in a quarter of a division's time.
LIMBER_INLINE Vec<float> reciprocal(Vec<float> x) {
#if defined(LIMBER_ISA_avx512)
  const Vec<float> r = (Vec<float>)_mm512_maskz_rcp14_ps(__mmask16(-1), (__m512)x);
  return r + r * (1.0f - x * r);
#else
  return 1.0f / x;
#endif
}

// Of -|x|, whose exponential is at most 1: no overflow on either side.
LIMBER_INLINE Vec<float> sigmoid(Vec<float> x) {
  const Vec<float> e = exp(-abs(x)), r = reciprocal(1.0f + e);
  return x < 0.0f ? e * r : r;
}
LIMBER_INLINE Vec<double> sigmoid(Vec<double> x) { return 1.0 / (1.0 + exp(-x)); }

// tanh x = sign(x) (1 - e) / (1 + e), e = exp(-2 |x|); near zero, where that cancels, the odd
// Taylor series.
LIMBER_INLINE Vec<float> tanh(Vec<float> x) {
  const Vec<float> a = abs(x), e = exp(-2.0f * a);
  const Vec<float> large = (1.0f - e) * reciprocal(1.0f + e);
  const Vec<float> z = x * x;
  Vec<float> p = z * (62.0f / 2835) - 17.0f / 315;
  p = p * z + 2.0f / 15;
  p = p * z - 1.0f / 3;
  const Vec<float> small = a + a * z * p;
  const Vec<float> y = a < 0.25f ? small : large;
  return x < 0.0f ? -y : (x != x ? x : y);
}
LIMBER_INLINE Vec<double> tanh(Vec<double> x) {
  return by_lane<double>(x, [](double v) { return __builtin_tanh(v); });
}

// The error function. For floats x P(x^2) / Q(x^2), both of degree 5, fitted by weighted least
// squares for the least maximum of the error on |x| <= 3.92: 1.7e-8, and 4e-7 with f32's rounding.
// Beyond, it is 1 in f32.
LIMBER_INLINE Vec<float> erf(Vec<float> x) {
  const Vec<float> bounded = min(max(x, splat(-3.92f)), splat(3.92f)), z = bounded * bounded;
  Vec<float> p = z * 2.0388973171e-6f + 2.8651265438e-4f;
  p = p * z + 0.0038336245464f;
  p = p * z + 0.052956324405f;
  p = p * z + 0.19197733068f;
  p = p * z + 1.1283791110f;
  Vec<float> q = z * 3.8061987819e-5f + 1.1792719993e-3f;
  q = q * z + 0.015104342142f;
  q = q * z + 0.11475867347f;
  q = q * z + 0.50346771639f;
  q = q * z + 1.0f;
  return bounded * p * reciprocal(q);
}
LIMBER_INLINE Vec<double> erf(Vec<double> x) {
  return by_lane<double>(x, [](double v) { return __builtin_erf(v); });
}

// Calls body with a value of the kernel's element type: float everywhere, double on the baseline.
template <class Body>
LIMBER_INLINE void by_float_type(DType dtype, const Body& body) {
#if defined(LIMBER_ISA_base)
  if (dtype == DType::f64) {
    body(double{});
    return;
  }
#endif
  (void)dtype;
  body(float{});
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
