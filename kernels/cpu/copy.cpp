// Strided copies. Three shapes of the innermost work: a run that is contiguous on both sides is
// one memory copy; a run that is not goes element by element; and where x is contiguous along
// another dimension than y (a transposition), both are walked in tiles, so that every cache line
// that is fetched is used up before it is dropped.
#include "kernels/copy.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

constexpr int64_t kGrain = 16384;  // elements worth a thread
constexpr int64_t kPiece = 16384;  // a longer run is cut, so that threads can share it
constexpr int64_t kTile = 16;      // one cache line of four-byte elements

// Offsets of the walk over the dimensions in front of the innermost `inner` ones.
struct Walk {
  const StridedCopy& c;
  int outer;
  int64_t index[StridedCopy::kMaxRank];
  int64_t y, x;

  LIMBER_INLINE Walk(const StridedCopy& copy, int inner, int64_t position)
      : c(copy), outer(copy.rank - inner), y(copy.start_y), x(copy.start_x) {
    for (int d = outer - 1; d >= 0; --d) {
      index[d] = position % c.extent[d];
      position /= c.extent[d];
      y += index[d] * c.stride_y[d];
      x += index[d] * c.stride_x[d];
    }
  }
  LIMBER_INLINE void next() {
    for (int d = outer - 1; d >= 0; --d) {
      y += c.stride_y[d];
      x += c.stride_x[d];
      if (++index[d] < c.extent[d]) return;
      y -= c.extent[d] * c.stride_y[d];
      x -= c.extent[d] * c.stride_x[d];
      index[d] = 0;
    }
  }
};

int64_t rows_in_front(const StridedCopy& c, int inner) {
  int64_t rows = 1;
  for (int d = 0; d < c.rank - inner; ++d) rows *= c.extent[d];
  return rows;
}

// n elements of `size` bytes; strides in elements.
template <int size>
LIMBER_INLINE void copy_run(char* y, const char* x, int64_t n, int64_t step_y, int64_t step_x) {
  if (step_y == 1 && step_x == 1) {
    __builtin_memcpy(y, x, size_t(n * size));
    return;
  }
  for (int64_t i = 0; i < n; ++i)
    __builtin_memcpy(y + i * step_y * size, x + i * step_x * size, size);
}

template <int size>
void copy_rows(const Exec& ex, const StridedCopy& c, char* y, const char* x) {
  const int last = c.rank - 1;
  const int64_t n = c.extent[last], step_y = c.stride_y[last], step_x = c.stride_x[last];
  const int64_t pieces = (n + kPiece - 1) / kPiece;
  if (pieces > 1) {
    parallel_for(ex, rows_in_front(c, 1) * pieces, 1, [&](int64_t begin, int64_t end) {
      for (int64_t job = begin; job < end; ++job) {
        const Walk at(c, 1, job / pieces);
        const int64_t first = job % pieces * kPiece;
        const int64_t count = n - first < kPiece ? n - first : kPiece;
        copy_run<size>(y + (at.y + first * step_y) * size, x + (at.x + first * step_x) * size,
                       count, step_y, step_x);
      }
    });
    return;
  }
  parallel_for(ex, rows_in_front(c, 1), kGrain / n + 1, [&](int64_t begin, int64_t end) {
    Walk at(c, 1, begin);
    for (int64_t row = begin; row < end; ++row, at.next())
      copy_run<size>(y + at.y * size, x + at.x * size, n, step_y, step_x);
  });
}

// The two innermost dimensions: x is contiguous along the first of them, y along the second.
template <int size>
void copy_tiles(const Exec& ex, const StridedCopy& c, char* y, const char* x) {
  const int64_t P = c.extent[c.rank - 2], Q = c.extent[c.rank - 1];
  const int64_t y_p = c.stride_y[c.rank - 2], y_q = c.stride_y[c.rank - 1];
  const int64_t x_p = c.stride_x[c.rank - 2], x_q = c.stride_x[c.rank - 1];
  const int64_t strips = (P + kTile - 1) / kTile;
  const int64_t jobs = rows_in_front(c, 2) * strips;
  parallel_for(ex, jobs, kGrain / (Q * kTile) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t job = begin; job < end; ++job) {
      const Walk at(c, 2, job / strips);
      const int64_t first = job % strips * kTile;
      const int64_t past = first + kTile < P ? first + kTile : P;
      for (int64_t q = 0; q < Q; q += kTile) {
        const int64_t count = Q - q < kTile ? Q - q : kTile;
        for (int64_t p = first; p < past; ++p)
          copy_run<size>(y + (at.y + p * y_p + q * y_q) * size,
                         x + (at.x + p * x_p + q * x_q) * size, count, y_q, x_q);
      }
    }
  });
}

template <int size>
void copy(const Exec& ex, const StridedCopy& c, char* y, const char* x) {
  const int last = c.rank - 1;
  if (c.stride_x[last] == 0 || c.stride_x[last] == 1) return copy_rows<size>(ex, c, y, x);
  int across = last;
  for (int d = 0; d < last; ++d)
    if (c.stride_x[d] == 1 && c.extent[d] > 3) across = d;
  if (across == last || c.extent[last] < 4) return copy_rows<size>(ex, c, y, x);
  StridedCopy moved = c;  // `across` becomes the last but one
  for (int d = across; d < last - 1; ++d) {
    moved.extent[d] = c.extent[d + 1];
    moved.stride_y[d] = c.stride_y[d + 1];
    moved.stride_x[d] = c.stride_x[d + 1];
  }
  moved.extent[last - 1] = c.extent[across];
  moved.stride_y[last - 1] = c.stride_y[across];
  moved.stride_x[last - 1] = c.stride_x[across];
  copy_tiles<size>(ex, moved, y, x);
}

}  // namespace

void strided_copy(const Exec& ex, const StridedCopy& c, Out y, In x) {
  char* to = static_cast<char*>(y.data);
  const char* from = static_cast<const char*>(x.data);
  switch (size_of(y.dtype)) {
    case 1:
      return copy<1>(ex, c, to, from);
    case 2:
      return copy<2>(ex, c, to, from);
    case 4:
      return copy<4>(ex, c, to, from);
    case 8:
      return copy<8>(ex, c, to, from);
  }
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
