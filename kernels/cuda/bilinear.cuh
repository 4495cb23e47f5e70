// Reading an image between its pixels, for deformable convolution and deformable attention; the
// CPU's kernels/cpu/deform_place.h and deform_cell.h, in float.
#pragma once

#include "kernels/cuda/launch.cuh"

namespace limber::kernels::cuda {

// Four pixels of the image (H W of them), the factor of each, and the derivatives of the factors by
// row and column; pixels outside of the image have factors of 0.
struct Place {
  int64_t at[4];
  float factor[4], by_row[4], by_column[4];
};

// The place at (row, column), whole numbers being the centres of pixels. False where nothing of the
// image is read; not a number is outside, too.
__device__ inline bool find_place(Place& place, float row, float column, int64_t H, int64_t W) {
  if (!(row > -1 && row < float(H) && column > -1 && column < float(W))) return false;
  const int64_t top = int64_t(floorf(row)), left = int64_t(floorf(column));
  const float down = row - float(top), right = column - float(left);
  for (int i = 0; i < 4; ++i) {
    const int64_t y = top + i / 2, x = left + i % 2;
    const bool inside = y >= 0 && y < H && x >= 0 && x < W;
    const float fy = i / 2 == 0 ? 1 - down : down, fx = i % 2 == 0 ? 1 - right : right;
    place.at[i] = inside ? y * W + x : 0;
    place.factor[i] = inside ? fy * fx : 0;
    place.by_row[i] = inside ? (i / 2 == 0 ? -fx : fx) : 0;
    place.by_column[i] = inside ? (i % 2 == 0 ? -fy : fy) : 0;
  }
  return true;
}

// The channel that `image` points to, at the four pixels, weighted by `factor`; `stride` elements
// from one pixel to the next.
template <class T>
__device__ float read_place(const Place& place, const float* factor, const T* image,
                            int64_t stride) {
  float value = 0;
  for (int i = 0; i < 4; ++i) value += widen(image[place.at[i] * stride]) * factor[i];
  return value;
}

}  // namespace limber::kernels::cuda
