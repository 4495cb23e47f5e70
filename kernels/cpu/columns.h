// Sums down the columns of (N, L, C), as the gradients of per-channel parameters need them.
//
// The rows of a sample are cut into blocks that fit the cache; blocks are summed on their own, in
// any order, then the blocks' sums are added up in f64. The cut depends on the extents alone, so
// any number of threads gives the same bits.
#pragma once

#include "kernels/cpu/simd.h"
#include "kernels/exec.h"

namespace limber::kernels::cpu::LIMBER_ISA {

struct RowBlocks {
  int64_t rows, count;  // rows of a block (the last may have fewer), blocks of a sample
};

LIMBER_INLINE RowBlocks row_blocks(int64_t L, int64_t C) {
  int64_t rows = 16384 / C;
  rows = rows < 32 ? 32 : rows > 1024 ? 1024 : rows;
  return {rows, (L + rows - 1) / rows};
}

LIMBER_INLINE int64_t block_end(int64_t begin, int64_t size, int64_t end) {
  return begin + size < end ? begin + size : end;
}

// body(block, n, first, last): rows [first, last) of sample n. Blocks are numbered over all
// samples.
template <class Body>
LIMBER_INLINE void for_row_blocks(const Exec& ex, int64_t N, int64_t L, int64_t C,
                                  const Body& body) {
  const RowBlocks b = row_blocks(L, C);
  const int64_t grain = 8192 / (b.rows * C) + 1;
  parallel_for(ex, N * b.count, grain, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t first = block % b.count * b.rows;
      body(block, block / b.count, first, block_end(first, b.rows, L));
    }
  });
}

// total[j] = sum_b from[b stride + j] for j < width <= kChunk.
constexpr int64_t kChunk = 128;
template <class T>
LIMBER_INLINE void add_blocks(double* total, const T* from, int64_t blocks, int64_t stride,
                              int64_t width) {
  for (int64_t j = 0; j < width; ++j) total[j] = 0;
  for (int64_t b = 0; b < blocks; ++b)
    for (int64_t j = 0; j < width; ++j) total[j] += double(from[b * stride + j]);
}

// sums[n, j] = sum_b parts[n, b, j] for `columns` columns.
template <class T>
LIMBER_INLINE void add_parts(const Exec& ex, T* sums, const T* parts, int64_t N, int64_t blocks,
                             int64_t columns) {
  const int64_t chunks = (columns + kChunk - 1) / kChunk;
  parallel_for(ex, N * chunks, 8192 / (blocks * kChunk + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t job = begin; job < end; ++job) {
      const int64_t n = job / chunks, j = job % chunks * kChunk;
      const int64_t width = block_end(j, kChunk, columns) - j;
      double total[kChunk];
      add_blocks(total, parts + n * blocks * columns + j, blocks, columns, width);
      for (int64_t k = 0; k < width; ++k) sums[n * columns + j + k] = T(total[k]);
    }
  });
}

// part[k, c] = sum of term k over the rows [first, last): add(sum, row, i, m) adds the K terms of m
// columns from i on to the vectors sum[K]. Memory is read in its order and the sums stay in the
// cache; short rows are taken four at a time, which touches the sums less often. (Walking down a
// strip of columns with the sums in registers reached half the bandwidth.)
template <int K, class T, class Add>
LIMBER_INLINE void block_sums(T* part, int64_t first, int64_t last, int64_t C, const Add& add) {
  const auto add_rows = [&](int64_t row, int64_t rows) {
    for_lanes<T>(C, [&](int64_t i, int64_t m) {
      Vec<T> even[K], odd[K] = {};  // two chains hide the latency of an addition
      for (int k = 0; k < K; ++k) even[k] = row == first ? Vec<T>{} : load(part + k * C + i, m);
      for (int64_t r = 0; r < rows; ++r) add(r % 2 == 0 ? even : odd, row + r, i, m);
      for (int k = 0; k < K; ++k) store(part + k * C + i, even[k] + odd[k], m);
    });
  };
  int64_t row = first;
  if (C <= 64)
    for (; row + 4 <= last; row += 4) add_rows(row, 4);
  for (; row < last; ++row) add_rows(row, 1);
}

// Numbers of T that column_sums wants as `parts`.
LIMBER_INLINE int64_t column_parts(int64_t N, int64_t L, int64_t C, int K) {
  return N * row_blocks(L, C).count * K * C;
}

// sums[n, k, c] = sum_l term_k(n, l, c) for k < K: add(sum, n, row, i, m) adds the K terms of
// m channels from i on to the vectors sum[K]; row counts over all samples, n L + l.
template <int K, class T, class Add>
LIMBER_INLINE void column_sums(const Exec& ex, T* sums, T* parts, int64_t N, int64_t L, int64_t C,
                               const Add& add) {
  for_row_blocks(ex, N, L, C, [&](int64_t block, int64_t n, int64_t first, int64_t last) {
    block_sums<K>(parts + block * K * C, n * L + first, n * L + last, C,
                  [&](Vec<T>* sum, int64_t row, int64_t i, int64_t m) { add(sum, n, row, i, m); });
  });
  add_parts(ex, sums, parts, N, row_blocks(L, C).count, K * C);
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
