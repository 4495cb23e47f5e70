// Matrix products: plain loops, and for f32 on vector hardware packed panels under register tiles.
#include "kernels/gemm.h"

#include "kernels/cpu/simd.h"
#include "kernels/cpu/tile.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

// Rows and columns of C.
struct Block {
  int64_t m0, m1, n0, n1;
};

// The plain form: for each row of C, add up multiples of the rows of op(B); where B is stored
// transposed, dot products instead.
template <class T>
void multiply(const Gemm& g, T* c, const T* a, const T* b, const Block& block) {
  const int64_t columns = block.n1 - block.n0;
  for (int64_t m = block.m0; m < block.m1; ++m) {
    T* row = c + m * g.ldc + block.n0;
    for (int64_t n = 0; n < columns; ++n) {
      row[n] = g.beta == 0 ? T(0) : T(g.beta) * row[n];
      if (g.bias.data != nullptr) row[n] += g.bias.as<T>()[block.n0 + n];
    }
    const auto element = [&](int64_t k) { return g.trans_a ? a[k * g.lda + m] : a[m * g.lda + k]; };
    if (g.trans_b) {
      for (int64_t n = 0; n < columns; ++n) {
        T total = 0;
        for (int64_t k = 0; k < g.K; ++k) total += element(k) * b[(block.n0 + n) * g.ldb + k];
        row[n] += T(g.alpha) * total;
      }
      continue;
    }
    for (int64_t k = 0; k < g.K; ++k) {
      const T factor = T(g.alpha) * element(k);
      for_lanes<T>(columns, [&](int64_t n, int64_t m_) {
        store(row + n, load(row + n, m_) + factor * load(b + k * g.ldb + block.n0 + n, m_), m_);
      });
    }
  }
}

#if !defined(LIMBER_ISA_base)

// k and columns of B that are packed at a time: 512 KiB, half of the second-level cache.
constexpr int64_t kDepth = 512, kWidth = 256;

// The tile of C at row m and column n, `rows` x `count`: A's numbers k to k + K come from `edge`,
// (K, kTileRows), if A is stored transposed, from its rows otherwise.
template <int V>
void tile(const Gemm& g, float* c, const float* a, const float* edge, const float* panel, int64_t m,
          int64_t rows, int64_t n, int64_t count, int64_t k, int64_t K) {
  Tile<V> t{};
  float* to[kTileRows];
  for (int i = 0; i < kTileRows; ++i) to[i] = c + (m + (i < rows ? i : 0)) * g.ldc + n;
  if (g.trans_a) {
    multiply_columns<V>(t, edge, kTileRows, panel, V * kLanes<float>, K);
  } else {
    const float* from[kTileRows];
    for (int i = 0; i < kTileRows; ++i) from[i] = a + (m + (i < rows ? i : 0)) * g.lda;
    multiply_rows<V>(t, from, k, panel, K);
  }
  const bool first = k == 0;
  store_tile<V>(t, to, int(rows), count,
                {float(g.alpha), first ? float(g.beta) : 1.0f,
                 first && g.bias.data != nullptr ? g.bias.as<float>() + n : nullptr});
}

// Rows k to k + K of B, columns [n0, n1), in panels.
void pack_panels(const Gemm& g, float* packed, const float* b, int64_t k, int64_t K, int64_t n0,
                 int64_t n1) {
  for (int64_t n = n0; n < n1; n += kTileColumns) {
    float* to = packed + (n - n0) * K;
    const int64_t count = rest(n1, n, kTileColumns);
    if (g.trans_b) {
      pack_columns(to, b + n * g.ldb + k, g.ldb, K, count, panel_width(n, n1));
    } else {
      pack_rows(to, b + k * g.ldb + n, g.ldb, K, count, panel_width(n, n1));
    }
  }
}

// The fast form: B is packed kDepth x kWidth at a time and stays in the second-level cache while
// all rows of A pass by; a tile's rows of A stay in the first-level cache while the panels pass.
// One Zen 4 core (about 118 GFLOP/s), AVX-512, medians, beside OpenBLAS 0.3.21:
//   3072x64x576 B^T 108 (93), 3072x32x288 B^T 109 (93), 768x128x1152 B^T 107 (101),
//   192x512x2048 B^T 95 (91), 64x576x3072 A^T 83 (85), 64x576x24576 A^T 66 (76),
//   512x2048x1536 A^T 98 (100), 3072x17x256 B^T 58 (69).
void multiply(const Gemm& g, float* c, const float* a, const float* b, const Block& block) {
  const int64_t depth = even_part(g.K, kDepth, 1);
  const int64_t width = even_part(block.n1 - block.n0, kWidth, kTileColumns);
  float* packed =
      static_cast<float*>(thread_scratch(size_t(depth * (width + 2 * kTileRows)) * sizeof(float)));
  float* edge = packed + depth * width;
  for (int64_t n0 = block.n0; n0 < block.n1; n0 += width) {
    const int64_t n1 = n0 + rest(block.n1, n0, width);
    for (int64_t k = 0; k == 0 || k < g.K; k += depth) {
      const int64_t K = rest(g.K, k, depth);
      pack_panels(g, packed, b, k, K, n0, n1);
      for (int64_t m = block.m0; m < block.m1; m += kTileRows) {
        const int64_t rows = rest(block.m1, m, kTileRows);
        if (g.trans_a) {
          pack_rows(edge, a + k * g.lda + m, g.lda, K, rows, kTileRows);
        }
        for (int64_t n = n0; n < n1; n += kTileColumns) {
          const float* panel = packed + (n - n0) * K;
          const int64_t count = rest(n1, n, kTileColumns);
          if (count > kLanes<float>) {
            tile<kTileVecs>(g, c, a, edge, panel, m, rows, n, count, k, K);
          } else {
            tile<1>(g, c, a, edge, panel, m, rows, n, count, k, K);
          }
        }
      }
    }
  }
}

#endif

// The part of C that thread `index` of `columns` x `rows` threads computes, in whole tiles.
Block block_of(const Gemm& g, int64_t index, int64_t row_parts, int64_t column_parts) {
  const auto bound = [](int64_t extent, int64_t tile, int64_t parts, int64_t i) {
    const int64_t tiles = (extent + tile - 1) / tile;
    return rest(extent, 0, tiles * i / parts * tile);
  };
  const int64_t r = index / column_parts, n = index % column_parts;
  return {bound(g.M, kTileRows, row_parts, r), bound(g.M, kTileRows, row_parts, r + 1),
          bound(g.N, kTileColumns, column_parts, n), bound(g.N, kTileColumns, column_parts, n + 1)};
}

}  // namespace

void gemm(const Exec& ex, const Gemm& g, Out c, In a, In b) {
  by_float_type(c.dtype, [&]<class T>(T) {
    constexpr int64_t kGrain = 1 << 17;  // multiplications worth a thread
    const int64_t work = g.M * g.N * g.K + 1;
    if (g.batch > 1) {
      parallel_for(ex, g.batch, kGrain / work + 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i)
          multiply(g, c.as<T>() + i * g.stride_c, a.as<T>() + i * g.stride_a,
                   b.as<T>() + i * g.stride_b, {0, g.M, 0, g.N});
      });
      return;
    }
    const int64_t threads = rest(thread_count(ex), 0, work / kGrain + 1);
    const int64_t column_parts = parts_of_columns(g.N, threads);
    const int64_t row_parts = threads / column_parts;
    parallel_for(ex, threads, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        multiply(g, c.as<T>(), a.as<T>(), b.as<T>(), block_of(g, i, row_parts, column_parts));
    });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
