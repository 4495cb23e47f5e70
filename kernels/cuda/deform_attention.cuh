// Where the points of deformable attention lie.
#pragma once

#include "kernels/cuda/bilinear.cuh"
#include "kernels/deform_attention.h"

namespace limber::kernels::cuda {

// One point of one query and head: number `at` of the N Q M L P of them.
struct Point {
  int64_t row;    // number of (n, q, m)
  int64_t first;  // where in `value` channel 0 of its map's first pixel stands
  int level;
};

__device__ inline Point point_number(const DeformAttention& a, int64_t at) {
  const int64_t row = at / (a.L * a.P), n = row / (a.Q * a.M);
  const int level = int(at / a.P % a.L);
  int64_t pixel = n * a.S;
  for (int l = 0; l < level; ++l) pixel += a.height[l] * a.width[l];
  return {row, (pixel * a.M + row % a.M) * a.D, level};
}

// False where the point reads nothing.
template <class T>
__device__ bool find_place(Place& place, const DeformAttention& a, int level, const T* location) {
  const int64_t H = a.height[level], W = a.width[level];
  return find_place(place, widen(location[1]) * float(H) - 0.5f,
                    widen(location[0]) * float(W) - 0.5f, H, W);
}

}  // namespace limber::kernels::cuda
