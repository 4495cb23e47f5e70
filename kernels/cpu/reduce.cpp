// Sums. Two layouts matter: the summed dimension is the last (inner = 1), where a row is summed in
// vector lanes; or it is not, where rows of `inner` numbers are added up.
#include "kernels/reduce.h"

#include "kernels/cpu/simd.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

// A sum of more terms than this is cut into pieces that are summed on their own: work for the
// threads, and an error that grows with the logarithm of n instead of n.
constexpr int64_t kPiece = 2048;

template <class T>
T sum_row(const T* x, int64_t n) {
  if (n > kPiece) {
    const int64_t half = (n / 2 + kPiece - 1) / kPiece * kPiece;
    return sum_row(x, half) + sum_row(x + half, n - half);
  }
  Vec<T> total{};
  for_lanes<T>(n, [&](int64_t i, int64_t m) { total += load(x + i, m); });
  return reduce_add<T>(total);
}

// y[i] = factor * sum_k x[k, i] for `width` columns of rows `stride` apart: partial sums over
// kRows rows each, and the sum of those.
template <class T>
void sum_columns(T* y, const T* x, int64_t n, int64_t stride, int64_t width, T factor) {
  constexpr int64_t kRows = 64;
  for_lanes<T>(width, [&](int64_t i, int64_t m) {
    Vec<T> total{};
    for (int64_t first = 0; first < n; first += kRows) {
      const int64_t last = first + kRows < n ? first + kRows : n;
      Vec<T> part{};
      for (int64_t k = first; k < last; ++k) part += load(x + k * stride + i, m);
      total += part;
    }
    store(y + i, total * factor, m);
  });
}

}  // namespace

void sum_forward(const Exec& ex, Out y, In x, int64_t outer, int64_t n, int64_t inner,
                 double scale) {
  by_float_type(x.dtype, [&]<class T>(T) {
    const T* from = x.as<T>();
    T* to = y.as<T>();
    const T factor = T(scale);
    if (inner == 1) {
      parallel_for(ex, outer, kPiece / (n + 1) + 1, [&](int64_t begin, int64_t end) {
        for (int64_t o = begin; o < end; ++o) to[o] = factor * sum_row(from + o * n, n);
      });
      return;
    }
    // Columns are independent: threads take cache lines of them.
    constexpr int64_t kWidth = 64 / sizeof(T);
    const int64_t blocks = (inner + kWidth - 1) / kWidth;
    parallel_for(ex, outer * blocks, kPiece / (n * kWidth + 1) + 1,
                 [&](int64_t begin, int64_t end) {
                   for (int64_t job = begin; job < end; ++job) {
                     const int64_t o = job / blocks, first = job % blocks * kWidth;
                     const int64_t width = inner - first < kWidth ? inner - first : kWidth;
                     sum_columns(to + o * inner + first, from + o * n * inner + first, n, inner,
                                 width, factor);
                   }
                 });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
