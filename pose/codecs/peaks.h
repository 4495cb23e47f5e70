// Key points read off maps: peaks, and their refinement. Coordinates are pixels of the map, x
// before y; K maps of one sample are (K, H, W). Part of the inference library: no config, no codec.
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace limber {

// The largest of n values; NaN where the first one is.
float largest(const float* values, int64_t n);
// The first position of the largest of n values. A NaN wins.
int64_t position_of_largest(const float* values, int64_t n);

struct Peaks {
  Tensor locations;  // (..., 2), (-1, -1) where the value is not positive
  Tensor values;     // (...)
};
// The pixel of the maximum of each map of (..., H, W).
Peaks find_peaks(const Tensor& maps);

// Each of these moves key points (N, K, 2), given as whole pixels, by a fraction of one, in place;
// maps (K, H, W).

// A quarter pixel towards the larger neighbour, in x and in y.
void refine_by_neighbours(const Tensor& keypoints, const Tensor& maps);
// To the top of the paraboloid fitted to the logarithm of the blurred map (DARK). Key points within
// two pixels of the border stay.
void refine_dark(const Tensor& keypoints, const Tensor& maps, int blur_kernel_size);
// The same with UDP's differences; the map's edge is repeated beyond it. The eps of f32 is added
// to the Hessian's diagonal.
void refine_dark_udp(const Tensor& keypoints, const Tensor& maps, int blur_kernel_size);

// points (..., 2 or more), the first two coordinates of each multiplied by sx and sy. In place.
void scale_points(const Tensor& points, double sx, double sy);

// The maps that refine_dark_udp works on: ln(clamp(blurred map, 0.001, 50)).
Tensor dark_udp_maps(const Tensor& maps, int blur_kernel_size);

// maps (..., H, W): what is not the maximum of the kernel x kernel window around it becomes 0.
// Negative maxima stay. Odd kernels.
Tensor keep_local_maxima(const Tensor& maps, int kernel);

}  // namespace limber
