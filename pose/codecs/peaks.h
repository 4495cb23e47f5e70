// Key points read off maps: peaks, and their refinement. Coordinates are pixels of the map, x
// before y; K maps of one sample are (K, H, W). Part of the inference library: no config, no codec.
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace limber {

class Blur;

// The largest of n values; NaN where the first one is.
float largest(const float* values, int64_t n);
// The first position of the largest of n values. A NaN wins.
int64_t position_of_largest(const float* values, int64_t n);

// The maps of one sample, (count, height, width) f32.
struct Maps {
  const float* data;
  int64_t count, height, width;
  const float* map(int64_t k) const { return data + k * height * width; }
};
Maps maps_of(const Tensor& maps);  // (K, H, W)

struct Peaks {
  Tensor locations;  // (..., 2), (-1, -1) where the value is not positive
  Tensor values;     // (...)
};
// The pixel of the maximum of each map of (..., H, W).
Peaks find_peaks(const Tensor& maps);
// The same into locations (K, 2) and values (K,).
void find_peaks(const Maps& maps, float* locations, float* values);

// Each of these moves key points (N, K, 2), given as whole pixels of K maps, by a fraction of one,
// in place. `blur` is the memory that they work in.

// A quarter pixel towards the larger neighbour, in x and in y.
void refine_by_neighbours(float* keypoints, int64_t instances, const Maps& maps);
void refine_by_neighbours(const Tensor& keypoints, const Tensor& maps);
// To the top of the paraboloid fitted to the logarithm of the blurred map (DARK). Key points within
// two pixels of the border stay.
void refine_dark(float* keypoints, int64_t instances, const Maps& maps, Blur& blur);
void refine_dark(const Tensor& keypoints, const Tensor& maps, int blur_kernel_size);
// The same with UDP's differences; the map's edge is repeated beyond it. The eps of f32 is added
// to the Hessian's diagonal.
void refine_dark_udp(float* keypoints, int64_t instances, const Maps& maps, Blur& blur);
void refine_dark_udp(const Tensor& keypoints, const Tensor& maps, int blur_kernel_size);

// The peaks of blurred maps times 255, as MSPN and RSN have them: half a pixel and a quarter
// towards the larger neighbours inside of the map; scores peak / 255 + 0.5. locations (K, 2),
// scores (K,).
void find_megvii_peaks(const Maps& maps, Blur& blur, float* locations, float* scores);

// points (count, step), the first two coordinates of each multiplied by sx and sy. In place.
void scale_points(float* points, int64_t count, int64_t step, double sx, double sy);
void scale_points(const Tensor& points, double sx, double sy);  // (..., 2 or more)

// What refine_dark_udp works on, of a blurred map's value: ln(clamp(value, 0.001, 50)).
float dark_udp_log(float blurred);

// maps (..., H, W): what is not the maximum of the kernel x kernel window around it becomes 0.
// Negative maxima stay. Odd kernels.
Tensor keep_local_maxima(const Tensor& maps, int kernel);

}  // namespace limber
