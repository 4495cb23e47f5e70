// What attention's forward and backward share: small matrix products in registers and the scores
// of a block of keys against a block of queries.
//
// Scores are stored transposed, (keys, kRows): the queries of a block lie along the vector lanes,
// so a softmax over the keys needs no sums across lanes, and of all operands only the queries have
// to be transposed, once per block.
#pragma once

#include "kernels/attention.h"
#include "kernels/cpu/simd.h"

namespace limber::kernels::cpu::LIMBER_ISA {

constexpr int64_t kRows = 64;  // queries in a block; a multiple of every vector's length
constexpr int64_t kKeys = 64;  // keys in a block
// Rows of a register tile two vectors wide: 16 sums of 32 registers, or 8 of 16.
constexpr int kTileRows = kVecBytes == 64 ? 8 : 4;

// C += A B for a strip of `rows` rows and `vecs` vectors of columns, the last with `tail` columns.
// A's element (m, k) is a[m * a_m + k * a_k].
template <class T, int rows, int vecs>
LIMBER_INLINE void product_tile(T* c, int64_t ldc, const T* a, int64_t a_m, int64_t a_k, const T* b,
                                int64_t ldb, int64_t K, int64_t tail) {
  constexpr int n = kLanes<T>;
  Vec<T> sums[rows][vecs];
#pragma GCC unroll 16
  for (int m = 0; m < rows; ++m)
#pragma GCC unroll 16
    for (int j = 0; j < vecs; ++j)
      sums[m][j] = load(c + m * ldc + j * n, j + 1 == vecs ? tail : int64_t{n});
  for (int64_t k = 0; k < K; ++k) {
    Vec<T> row[vecs];
#pragma GCC unroll 16
    for (int j = 0; j < vecs; ++j)
      row[j] = load(b + k * ldb + j * n, j + 1 == vecs ? tail : int64_t{n});
#pragma GCC unroll 16
    for (int m = 0; m < rows; ++m)
#pragma GCC unroll 16
      for (int j = 0; j < vecs; ++j) sums[m][j] += a[m * a_m + k * a_k] * row[j];
  }
#pragma GCC unroll 16
  for (int m = 0; m < rows; ++m)
#pragma GCC unroll 16
    for (int j = 0; j < vecs; ++j)
      store(c + m * ldc + j * n, sums[m][j], j + 1 == vecs ? tail : int64_t{n});
}

// C += A B with C: (M, N) and B: (K, N) row-major, A read by its strides.
template <class T>
void add_product(T* c, int64_t ldc, const T* a, int64_t a_m, int64_t a_k, const T* b, int64_t ldb,
                 int64_t M, int64_t N, int64_t K) {
  constexpr int64_t n = kLanes<T>;
  for (int64_t col = 0; col < N;) {
    const int64_t left = N - col;
    const int64_t vecs = left > n ? 2 : 1;
    const int64_t tail = left >= vecs * n ? n : left - (vecs - 1) * n;
    int64_t m = 0;
    for (; m + kTileRows <= M; m += kTileRows) {
      T* to = c + m * ldc + col;
      if (vecs == 2) {
        product_tile<T, kTileRows, 2>(to, ldc, a + m * a_m, a_m, a_k, b + col, ldb, K, tail);
      } else {
        product_tile<T, kTileRows, 1>(to, ldc, a + m * a_m, a_m, a_k, b + col, ldb, K, tail);
      }
    }
    for (; m < M; ++m) {
      T* to = c + m * ldc + col;
      if (vecs == 2) {
        product_tile<T, 1, 2>(to, ldc, a + m * a_m, a_m, a_k, b + col, ldb, K, tail);
      } else {
        product_tile<T, 1, 1>(to, ldc, a + m * a_m, a_m, a_k, b + col, ldb, K, tail);
      }
    }
    col += vecs * n;
  }
}

// to[c, r] = factor from[r, c] for `rows` <= kRows rows; the rest of each line of `to` is zero.
template <class T>
void transpose_rows(T* to, const T* from, int64_t rows, int64_t cols, T factor) {
  for (int64_t c = 0; c < cols; ++c) {
    for (int64_t r = 0; r < rows; ++r) to[c * kRows + r] = factor * from[r * cols + c];
    for (int64_t r = rows; r < kRows; ++r) to[c * kRows + r] = 0;
  }
}

// Lines of `count` values of kRows lanes, of which the first `width` are set to zero.
template <class T>
LIMBER_INLINE void clear_lines(T* lines, int64_t count, int64_t width) {
  for (int64_t k = 0; k < count; ++k)
    __builtin_memset(lines + k * kRows, 0, size_t(width) * sizeof(T));
}

// Where the arrays of one (b, h) begin.
template <class T>
struct Head {
  const T *q, *k, *v, *bias;
  LIMBER_INLINE Head(const Attention& a, In q_, In k_, In v_, In bias_, int64_t head)
      : q(q_.as<T>() + head * a.L * a.D),
        k(k_.as<T>() + head * a.S * a.D),
        v(v_.as<T>() + head * a.S * a.E),
        bias(bias_.data == nullptr
                 ? nullptr
                 : bias_.as<T>() + head / a.H * a.stride_bias[0] + head % a.H * a.stride_bias[1]) {}
};

// A block: queries [row, row + rows) against keys [key, key + keys).
struct Block {
  int64_t row, rows, key, keys;
};

// scores[j, l] = q[l] . k[j] + bias, the scale being in the transposed queries; (keys, kRows).
// `width`: rows rounded up to whole vectors.
template <class T>
void block_scores(T* scores, const Attention& a, const Head<T>& head, const T* queries,
                  const Block& block, int64_t width) {
  clear_lines(scores, block.keys, width);
  add_product(scores, kRows, head.k + block.key * a.D, a.D, 1, queries, kRows, block.keys, width,
              a.D);
  if (head.bias == nullptr) return;
  const T* bias = head.bias + block.row * a.stride_bias[2] + block.key * a.stride_bias[3];
  for (int64_t l = 0; l < block.rows; ++l)
    for (int64_t j = 0; j < block.keys; ++j)
      scores[j * kRows + l] += bias[l * a.stride_bias[2] + j * a.stride_bias[3]];
}

LIMBER_INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

template <class T>
LIMBER_INLINE int64_t whole_vectors(int64_t n) {
  return (n + kLanes<T> - 1) / kLanes<T> * kLanes<T>;
}

template <class T>
LIMBER_INLINE T dot(const T* a, const T* b, int64_t n) {
  Vec<T> total{};
  for_lanes<T>(n, [&](int64_t i, int64_t m) { total += load(a + i, m) * load(b + i, m); });
  return reduce_add<T>(total);
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
