// Gathers, extremes and the k largest.
#include "kernels/index.h"

#include "kernels/cuda/launch.cuh"

namespace limber::kernels::cuda {
namespace {

// An index out of range ends the launch: the data lie on the device, so nobody checked it before.
template <class Word>
__global__ void gather_kernel(Indexed s, Word* y, const Word* x, const int64_t* index, int64_t n) {
  for (for_each_item(at, n)) {
    const int64_t i = at % s.inner, row = at / s.inner, o = row / s.k;
    const int64_t from = index[s.shared ? row % s.k : at];
    if (from < 0 || from >= s.n) __trap();
    y[at] = x[(o * s.n + from) * s.inner + i];
  }
}

// Whether a comes before b: the larger (or smaller) number; of two equal ones neither.
__device__ __forceinline__ bool beats(bool largest, float a, float b) {
  return (largest ? a > b : a < b) || (a != a && b == b);
}

template <class T>
__global__ void extreme_kernel(bool largest, T* y, int64_t* index, const T* x, int64_t n,
                               int64_t inner, int64_t results) {
  for (for_each_item(at, results)) {
    const T* from = x + at / inner * n * inner + at % inner;
    int64_t best = 0;
    for (int64_t j = 1; j < n; ++j)
      if (beats(largest, widen(from[j * inner]), widen(from[best * inner]))) best = j;
    y[at] = from[best * inner];
    index[at] = best;
  }
}

// One thread per element: as many as come before it, so large is its place; the first k are kept.
template <class T>
__global__ void topk_kernel(T* y, int64_t* index, const T* x, int64_t rows, int64_t n, int64_t k) {
  for (for_each_item(at, rows * n)) {
    const int64_t r = at / n, i = at % n;
    const T* row = x + r * n;
    const float own = widen(row[i]);
    int64_t place = 0;
    for (int64_t j = 0; j < n && place < k; ++j) {
      const float other = widen(row[j]);
      place += beats(true, other, own) || (j < i && !beats(true, own, other)) ? 1 : 0;
    }
    if (place >= k) continue;
    y[r * k + place] = row[i];
    index[r * k + place] = i;
  }
}

}  // namespace

void gather_forward(const Exec& ex, const Indexed& s, Out y, In x, In index) {
  const int64_t n = s.outer * s.k * s.inner;
  by_word(size_of(y.dtype), [&]<class Word>(Word) {
    launch(ex, one_each(n), gather_kernel<Word>, s, y.as<Word>(), x.as<Word>(), index.as<int64_t>(),
           n);
  });
}

void extreme_forward(const Exec& ex, bool largest, Out y, Out index, In x, int64_t outer, int64_t n,
                     int64_t inner) {
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    launch(ex, one_each(outer * inner), extreme_kernel<T>, largest, y.as<T>(), index.as<int64_t>(),
           x.as<T>(), n, inner, outer * inner);
  });
}

void topk_forward(const Exec& ex, Out y, Out index, In x, int64_t rows, int64_t n, int64_t k) {
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    launch(ex, one_each(rows * n), topk_kernel<T>, y.as<T>(), index.as<int64_t>(), x.as<T>(), rows,
           n, k);
  });
}

}  // namespace limber::kernels::cuda
