// Gathers, extremes and the k largest.
#include "kernels/index.h"

#include "kernels/cpu/simd.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

constexpr int64_t kGrain = 8192;  // elements worth a thread

template <int size>
void gather(const Exec& ex, const Indexed& s, char* y, const char* x, const int64_t* index) {
  parallel_for(ex, s.outer * s.k, kGrain / s.inner + 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t o = row / s.k;
      char* to = y + row * s.inner * size;
      const char* from = x + o * s.n * s.inner * size;
      if (s.shared) {
        __builtin_memcpy(to, from + index[row % s.k] * s.inner * size, size_t(s.inner * size));
        continue;
      }
      for (int64_t i = 0; i < s.inner; ++i)
        __builtin_memcpy(to + i * size, from + (index[row * s.inner + i] * s.inner + i) * size,
                         size);
    }
  });
}

// Whether a comes before b: the larger (or smaller) number; of two equal ones neither.
template <bool largest, class T>
LIMBER_INLINE bool beats(T a, T b) {
  return (largest ? a > b : a < b) || (a != a && b == b);
}

// A row: its extreme in vector lanes, then the first element equal to it; element by element where
// there is a NaN.
template <bool largest, class T>
void extreme_of_row(T* y, int64_t* index, const T* x, int64_t n) {
  Vec<T> best = splat(x[0]);
  Bits<T> odd{};
  int64_t i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) {
    const Vec<T> v = load(x + i);
    best = largest ? max(best, v) : min(best, v);
    odd |= v != v;
  }
  T winner = x[0];
  bool nan = false;
  for (int lane = 0; lane < kLanes<T>; ++lane) {
    winner = beats<largest>(best[lane], winner) ? best[lane] : winner;
    nan |= odd[lane] != 0;
  }
  for (; i < n; ++i) winner = beats<largest>(x[i], winner) ? x[i] : winner;
  int64_t at = 0;
  if (nan || winner != winner) {
    while (x[at] == x[at]) ++at;
  } else {
    while (x[at] != winner) ++at;
  }
  *y = x[at];
  *index = at;
}

// Columns [first, first + width) of one (n, inner) matrix; short enough for the results to stay in
// the first-level cache.
template <bool largest, class T>
void extreme_of_columns(T* best, int64_t* at, const T* x, int64_t n, int64_t inner, int64_t width) {
  for (int64_t i = 0; i < width; ++i) {
    best[i] = x[i];
    at[i] = 0;
  }
  for (int64_t j = 1; j < n; ++j) {
    const T* row = x + j * inner;
    for (int64_t i = 0; i < width; ++i) {
      const bool better = beats<largest>(row[i], best[i]);
      best[i] = better ? row[i] : best[i];
      at[i] = better ? j : at[i];
    }
  }
}

template <bool largest, class T>
void extreme(const Exec& ex, T* y, int64_t* index, const T* x, int64_t outer, int64_t n,
             int64_t inner) {
  if (inner == 1) {
    parallel_for(ex, outer, kGrain / n + 1, [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; ++o) extreme_of_row<largest>(y + o, index + o, x + o * n, n);
    });
    return;
  }
  constexpr int64_t kWidth = 256;
  const int64_t blocks = (inner + kWidth - 1) / kWidth;
  parallel_for(ex, outer * blocks, kGrain / (n * kWidth) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t job = begin; job < end; ++job) {
      const int64_t o = job / blocks, first = job % blocks * kWidth;
      const int64_t width = inner - first < kWidth ? inner - first : kWidth;
      extreme_of_columns<largest>(y + o * inner + first, index + o * inner + first,
                                  x + o * n * inner + first, n, inner, width);
    }
  });
}

// A binary heap of positions in x whose root is the one that the others come before.
template <class T>
struct Heap {
  const T* x;
  int64_t* at;

  LIMBER_INLINE bool before(int64_t a, int64_t b) const {
    return beats<true>(x[a], x[b]) || (!beats<true>(x[b], x[a]) && a < b);
  }
  void sink(int64_t root, int64_t size) const {
    const int64_t moved = at[root];
    for (int64_t child = 2 * root + 1; child < size; child = 2 * root + 1) {
      if (child + 1 < size && before(at[child], at[child + 1])) ++child;
      if (before(at[child], moved)) break;
      at[root] = at[child];
      root = child;
    }
    at[root] = moved;
  }
};

// Keeps the best k so far in a heap whose root is the worst of them, then takes roots off to the
// end: what is left is sorted.
template <class T>
void top_of_row(T* y, int64_t* at, const T* x, int64_t n, int64_t k) {
  const Heap<T> heap{x, at};
  for (int64_t i = 0; i < k; ++i) at[i] = i;
  for (int64_t i = k / 2 - 1; i >= 0; --i) heap.sink(i, k);
  for (int64_t i = k; i < n; ++i) {
    if (!heap.before(i, at[0])) continue;
    at[0] = i;
    heap.sink(0, k);
  }
  for (int64_t size = k - 1; size > 0; --size) {
    const int64_t worst = at[0];
    at[0] = at[size];
    at[size] = worst;
    heap.sink(0, size);
  }
  for (int64_t i = 0; i < k; ++i) y[i] = x[at[i]];
}

}  // namespace

void gather_forward(const Exec& ex, const Indexed& s, Out y, In x, In index) {
  char* to = static_cast<char*>(y.data);
  const char* from = static_cast<const char*>(x.data);
  const int64_t* at = index.as<int64_t>();
  switch (size_of(y.dtype)) {
    case 1:
      return gather<1>(ex, s, to, from, at);
    case 2:
      return gather<2>(ex, s, to, from, at);
    case 4:
      return gather<4>(ex, s, to, from, at);
    case 8:
      return gather<8>(ex, s, to, from, at);
  }
}

void extreme_forward(const Exec& ex, bool largest, Out y, Out index, In x, int64_t outer, int64_t n,
                     int64_t inner) {
  by_float_type(x.dtype, [&]<class T>(T) {
    T* to = y.as<T>();
    int64_t* at = index.as<int64_t>();
    if (largest) {
      extreme<true>(ex, to, at, x.as<T>(), outer, n, inner);
    } else {
      extreme<false>(ex, to, at, x.as<T>(), outer, n, inner);
    }
  });
}

void topk_forward(const Exec& ex, Out y, Out index, In x, int64_t rows, int64_t n, int64_t k) {
  by_float_type(x.dtype, [&]<class T>(T) {
    parallel_for(ex, rows, kGrain / (n * 4) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r)
        top_of_row(y.as<T>() + r * k, index.as<int64_t>() + r * k, x.as<T>() + r * n, n, k);
    });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
