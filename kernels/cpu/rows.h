// Sums along one row, for kernels that treat each row of (rows, C) on its own.
#pragma once

#include "kernels/cpu/simd.h"
#include "kernels/exec.h"

namespace limber::kernels::cpu::LIMBER_ISA {

// sum_i term(i, m) over C numbers: term gives the vector of m numbers from i on, zero in the lanes
// past m. Two chains hide the latency of an addition.
template <class T, class Term>
LIMBER_INLINE T row_sum(int64_t C, const Term& term) {
  constexpr int64_t step = kLanes<T>;
  Vec<T> even{}, odd{};
  int64_t i = 0;
  for (; i + 2 * step <= C; i += 2 * step) {
    even += term(i, step);
    odd += term(i + step, step);
  }
  for_lanes<T>(C - i, [&](int64_t j, int64_t m) { even += term(i + j, m); });
  return reduce_add<T>(even + odd);
}

// v with the lanes from n on cleared.
template <class T>
LIMBER_INLINE Vec<T> first_n(Vec<T> v, int64_t n) {
  if (n == kLanes<T>) return v;
  Bits<T> lane;
  for (int i = 0; i < kLanes<T>; ++i) lane[i] = i;
  return lane < typename BitsOf<T>::type(n) ? v : Vec<T>{};
}

// body(r) for every row, a few rows to a thread at least.
template <class Body>
LIMBER_INLINE void for_rows(const Exec& ex, int64_t rows, int64_t C, const Body& body) {
  parallel_for(ex, rows, 8192 / C + 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) body(r);
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
