// Target maps drawn around key points, and key points read off maps. Coordinates are pixels of the
// map, x before y; K maps of one sample are (K, H, W).
#pragma once

#include <span>

#include "pose/codecs/codec_support.h"
#include "tensor/tensor.h"

namespace limber {

struct MapTargets {
  Tensor maps;     // (K, H, W)
  Tensor weights;  // (N, K): the visibility, 0 where nothing could be drawn
};

// exp(-|p - c|^2 / (2 sigma^2)) around every visible key point, c rounded to the pixel, within
// 3 sigma; where people overlap the larger value stays. One sigma, or one per instance.
// Xiao, Wu and Wei 2018, arXiv 1804.06208.
MapTargets draw_gaussians(Size size, const Points& points, std::span<const double> sigmas);
// The same around the exact location, over the whole map. Zhang et al. 2020 (DARK),
// arXiv 1910.06278.
MapTargets draw_unbiased_gaussians(Size size, const Points& points, double sigma);
// The exact location within the window of the rounded one. Huang et al. 2020 (UDP),
// arXiv 1911.07524.
MapTargets draw_udp_gaussians(Size size, const Points& points, double sigma);
// maps (3 K, H, W), per key point: 1 within radius = radius_factor * max(W, H) of it, and
// (c - p) / radius for x and y, over the whole map. UDP's combined targets.
MapTargets draw_offsets(Size size, const Points& points, double radius_factor);

// The points with their locations multiplied by sx and sy.
Points scaled(const Points& points, double sx, double sy);

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

// The maps that refine_dark_udp works on: ln(clamp(blurred map, 0.001, 50)).
Tensor dark_udp_maps(const Tensor& maps, int blur_kernel_size);

// maps (..., H, W): what is not the maximum of the kernel x kernel window around it becomes 0.
// Negative maxima stay. Odd kernels.
Tensor keep_local_maxima(const Tensor& maps, int kernel);

}  // namespace limber
