// Tables of the taps of all rows and columns, made once per call.
#pragma once

#include "kernels/exec.h"
#include "kernels/resize.h"

namespace limber::kernels::cpu::LIMBER_ISA {

template <int K>
struct Count {};

// Calls body(Count<K>) with the taps per axis of a filter.
template <class Body>
LIMBER_INLINE void by_taps(Filter filter, const Body& body) {
  switch (filter) {
    case Filter::nearest:
      return body(Count<1>());
    case Filter::linear:
      return body(Count<2>());
    case Filter::cubic:
      return body(Count<4>());
  }
}

template <class T, int K>
struct AxisTaps {
  const Taps<T, K>*rows, *columns;
  void* rest;  // scratch for the caller
};

// In the calling thread's scratch memory, with `extra` bytes behind the tables.
template <class T, int K>
LIMBER_INLINE AxisTaps<T, K> make_taps(const ResizeShape& s, int64_t extra) {
  Taps<T, K>* taps = static_cast<Taps<T, K>*>(
      thread_scratch(size_t(s.h + s.w) * sizeof(Taps<T, K>) + size_t(extra)));
  for (int64_t i = 0; i < s.h; ++i) taps[i] = taps_at<T, K>(s.H, s.h, s.align_corners, i);
  for (int64_t j = 0; j < s.w; ++j) taps[s.h + j] = taps_at<T, K>(s.W, s.w, s.align_corners, j);
  return {taps, taps + s.h, taps + s.h + s.w};
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
