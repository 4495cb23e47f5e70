// The register tile under matrix products and convolutions: kTileRows rows of C by kTileColumns
// columns, held in vector registers while a run of k is multiplied in.
//
// Per k the tile broadcasts one number of each of its rows of A and multiplies it with the vectors
// of a packed row of B. A is read where it lies: through one pointer per row (rows of a matrix, or
// pixels of an image, so a convolution needs no im2col copy), or, where A is stored transposed,
// through one pointer and a stride. B is packed once into panels of kTileColumns columns so that
// its vectors follow each other; panels end in zeros where the matrix ends.
//
// Every element of C is one chain of fused multiply-adds in the order of k, whatever tile or tail
// it falls into: the split over threads does not change a bit.
// After Goto, van de Geijn 2008 (Anatomy of high-performance matrix multiplication) and BLIS,
// without the packing of A.
#pragma once

#include "kernels/cpu/activation.h"
#include "kernels/cpu/simd.h"

namespace limber::kernels::cpu::LIMBER_ISA {

// Registers: 12 x 2 sums, 2 of B, 1 of A of 32 (AVX-512, NEON); 6 x 2, 2, 1 of 16. Twelve divides
// the pixel counts of 4:3 feature maps (64 x 48 down to 8 x 6), and as many row pointers still fit
// the general registers.
#if defined(LIMBER_ISA_avx512) || defined(LIMBER_ISA_neon)
constexpr int kTileRows = 12;
#elif defined(LIMBER_ISA_avx2)
constexpr int kTileRows = 6;
#else
constexpr int kTileRows = 4;
#endif
constexpr int kTileVecs = 2;
constexpr int64_t kTileColumns = kTileVecs * kLanes<float>;

// A multiple of `unit` that cuts `extent` into nearly equal parts of about `most`, never more than
// rounding takes it.
LIMBER_INLINE int64_t even_part(int64_t extent, int64_t most, int64_t unit) {
  if (extent == 0) return unit;
  const int64_t parts = extent > most ? (extent + most - 1) / most : 1;
  return (extent + parts * unit - 1) / (parts * unit) * unit;
}

// What is left of `extent` beyond `at`, up to `most`.
LIMBER_INLINE int64_t rest(int64_t extent, int64_t at, int64_t most) {
  return extent - at < most ? extent - at : most;
}

// In how many parts threads share out N columns of C; the rest of them share out its rows. Columns
// first, where they divide evenly: each thread packs only the columns of B that it uses.
LIMBER_INLINE int64_t parts_of_columns(int64_t N, int64_t threads) {
  int64_t parts = 1;
  for (int64_t p = 2; p <= threads; ++p)
    if (threads % p == 0 && N % (p * kTileColumns) == 0) parts = p;
  return parts;
}

template <int V>
struct Tile {
  Vec<float> sum[kTileRows][V];
};

// sum[i] += rows[i][offset + k] * b[k] for k < K; b: (K, V vectors).
//
// Weights of a network at batch 1 come from memory once a picture, and what the processor fetches
// on its own stops at each 4 KB. So the loop asks for what lies `ahead` numbers behind b, as many
// lines as it uses up, to be in the second-level cache when its turn comes. Cold weights, one
// Sapphire Rapids core, with and without: Winograd's products 1.1 (64 channels at 64 x 48) to 1.7
// times as fast (256 at 16 x 12), 1 x 1 at 8 x 6 1.2 times. Into the first level gained half.
template <int V>
LIMBER_INLINE void multiply_rows(Tile<V>& tile, const float* const* rows, int64_t offset,
                                 const float* b, int64_t K, int64_t ahead = 0) {
  const float* a[kTileRows];
#pragma GCC unroll 16
  for (int i = 0; i < kTileRows; ++i) a[i] = rows[i] + offset;
#pragma GCC unroll 1
  for (int64_t k = 0; k < K; ++k, b += V * kLanes<float>) {
    Vec<float> vb[V];
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) {
      vb[v] = load(b + v * kLanes<float>);
      __builtin_prefetch(b + ahead + v * kLanes<float>, 0, 2);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kTileRows; ++i) {
      const Vec<float> va = splat(a[i][k]);
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) tile.sum[i][v] += va * vb[v];
    }
  }
}

// sum[i] += a[k * lda + i] * b[k * ldb] for k < K.
template <int V>
LIMBER_INLINE void multiply_columns(Tile<V>& tile, const float* a, int64_t lda, const float* b,
                                    int64_t ldb, int64_t K) {
#pragma GCC unroll 1
  for (int64_t k = 0; k < K; ++k, a += lda, b += ldb) {
    Vec<float> vb[V];
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) vb[v] = load(b + v * kLanes<float>);
#pragma GCC unroll 16
    for (int i = 0; i < kTileRows; ++i) {
      const Vec<float> va = splat(a[i]);
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) tile.sum[i][v] += va * vb[v];
    }
  }
}

// How a tile goes into C: rows[i][0..n) = f(alpha sum + beta old + bias + residual), for i < m.
struct Finish {
  float alpha = 1, beta = 0;
  const float* bias = nullptr;  // of the tile's first column
  // Added where C is written: what lies as far from `residual` as the number written from `base`.
  const float* residual = nullptr;
  const float* base = nullptr;
  Activation act{};
};

template <int V>
LIMBER_INLINE void store_tile(const Tile<V>& tile, float* const* rows, int m, int64_t n,
                              const Finish& f) {
#pragma GCC unroll 16
  for (int i = 0; i < kTileRows; ++i) {
    if (i >= m) break;
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) {
      constexpr int64_t L = kLanes<float>;
      const int64_t count = n - v * L < L ? n - v * L : L;
      float* to = rows[i] + v * L;
      Vec<float> y = f.alpha * tile.sum[i][v];
      if (f.beta != 0) y += f.beta * load(to, count);
      if (f.bias != nullptr) y += load(f.bias + v * L, count);
      if (f.residual != nullptr) y += load(f.residual + (to - f.base), count);
      if (f.act.clamps) y = min(max(y, splat(f.act.low)), splat(f.act.high));
      store(to, y, count);
    }
  }
  if (f.act.map != nullptr) f.act.map(rows, m, n, f.act.a, f.act.b);
}

// Transposes a square of vectors in registers: log2 rounds of exchanging off-diagonal blocks.
LIMBER_INLINE void transpose(Vec<float> (&x)[kLanes<float>]) {
  constexpr int L = kLanes<float>;
#pragma GCC unroll 4
  for (int d = 1; d < L; d *= 2) {
    Bits<float> low, high;
    for (int j = 0; j < L; ++j) {
      low[j] = (j & d) ? L + j - d : j;
      high[j] = (j & d) ? L + j : j + d;
    }
#pragma GCC unroll 16
    for (int i = 0; i < L; ++i) {
      if (i & d) continue;
      const Vec<float> a = x[i], b = x[i + d];
      x[i] = __builtin_shuffle(a, b, low);
      x[i + d] = __builtin_shuffle(a, b, high);
    }
  }
}

// Width of the panel that starts at column n of N: two vectors, or one where one is enough.
LIMBER_INLINE int64_t panel_width(int64_t n, int64_t N) {
  return N - n > kLanes<float> ? kTileColumns : kLanes<float>;
}

// One panel of B, rows as stored: to[k][j] = b[k * ldb + j], j < n <= width, else zero. Writes
// whole vectors: up to one beyond the end.
inline void pack_rows(float* to, const float* b, int64_t ldb, int64_t K, int64_t n, int64_t width) {
  for (int64_t k = 0; k < K; ++k, to += width, b += ldb) {
    for (int64_t j = 0; j < width; j += kLanes<float>) {
      const int64_t count = n - j;
      store(to + j, count >= kLanes<float> ? load(b + j)
                    : count > 0            ? load_n(b + j, count)
                                           : Vec<float>{});
    }
  }
}

// One panel of B stored transposed: to[k][j] = b[j * ldb + k], j < n <= width, else zero.
inline void pack_columns(float* to, const float* b, int64_t ldb, int64_t K, int64_t n,
                         int64_t width) {
  constexpr int L = kLanes<float>;
  for (int64_t j = 0; j < width; j += L) {
    for (int64_t k = 0; k < K; k += L) {
      const int64_t count = K - k < L ? K - k : L;
      Vec<float> x[L];
#pragma GCC unroll 16
      for (int i = 0; i < L; ++i)
        x[i] = j + i < n ? load(b + (j + i) * ldb + k, count) : Vec<float>{};
      transpose(x);
#pragma GCC unroll 16
      for (int i = 0; i < L; ++i)
        if (i < count) store(to + (k + i) * width + j, x[i]);
    }
  }
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
