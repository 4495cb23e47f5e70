// The matrix product that convolutions come down to, tile by tile through shared memory, with the
// operands given by functions instead of pointers (implicit GEMM): no column matrix is stored.
//
// A Problem has M, N, K (extents of one product), groups, and
//   float a(g, m, k), b(g, k, n): the operands' elements,
//   void store(g, part, m, n, value).
// K may be cut into `parts` pieces whose sums the caller adds up in order.
#pragma once

#include "kernels/cuda/launch.cuh"

namespace limber::kernels::cuda {

constexpr int kTileSize = 64;  // rows and columns of a tile, one block of 16 x 16 threads
constexpr int kTileDepth = 16;
constexpr int kTileSide = 16;  // threads along a side; each owns 4 x 4 numbers of the tile

template <class Problem>
__global__ void __launch_bounds__(kTileSide* kTileSide)
    tile_product_kernel(Problem p, int64_t tiles_m, int64_t tiles_n, int64_t depth) {
  __shared__ float a[kTileDepth][kTileSize + 1], b[kTileDepth][kTileSize + 1];
  int64_t rest = blockIdx.x;
  const int64_t n0 = rest % tiles_n * kTileSize;
  rest /= tiles_n;
  const int64_t m0 = rest % tiles_m * kTileSize;
  rest /= tiles_m;
  const int64_t g = rest % p.groups, part = rest / p.groups;
  const int64_t first = part * depth, last = first + depth < p.K ? first + depth : p.K;
  const int row = int(threadIdx.x) / kTileSide, column = int(threadIdx.x) % kTileSide;
  float sums[4][4] = {};
  for (int64_t k0 = first; k0 < last; k0 += kTileDepth) {
    // Neighbouring threads load neighbouring k, which lie side by side in most operands.
    for (int i = int(threadIdx.x); i < kTileSize * kTileDepth; i += kTileSide * kTileSide) {
      const int k = i % kTileDepth, at = i / kTileDepth;
      const bool inside = k0 + k < last;
      a[k][at] = inside && m0 + at < p.M ? p.a(g, m0 + at, k0 + k) : 0.0f;
      b[k][at] = inside && n0 + at < p.N ? p.b(g, k0 + k, n0 + at) : 0.0f;
    }
    __syncthreads();
    for (int k = 0; k < kTileDepth; ++k)
      for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j)
          sums[i][j] += a[k][row + i * kTileSide] * b[k][column + j * kTileSide];
    __syncthreads();
  }
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j) {
      const int64_t m = m0 + row + i * kTileSide, n = n0 + column + j * kTileSide;
      if (m < p.M && n < p.N) p.store(g, part, m, n, sums[i][j]);
    }
}

template <class Problem>
void tile_product(const Exec& ex, const Problem& p, int64_t parts = 1) {
  const int64_t tiles_m = divide_up(p.M, kTileSize), tiles_n = divide_up(p.N, kTileSize);
  launch(ex, {tiles_m * tiles_n * p.groups * parts, kTileSide * kTileSide},
         tile_product_kernel<Problem>, p, tiles_m, tiles_n, divide_up(p.K, parts));
}

}  // namespace limber::kernels::cuda
