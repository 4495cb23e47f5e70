// Target maps drawn around key points. Coordinates are pixels of the map, x before y; K maps of one
// sample are (K, H, W).
#pragma once

#include <span>
#include <vector>

#include "pose/codecs/codec_support.h"
#include "pose/codecs/peaks.h"
#include "tensor/tensor.h"

namespace limber {

struct MapTargets {
  Tensor maps;     // (K, H, W)
  Tensor weights;  // (N, K): the visibility, 0 where nothing could be drawn
};

// Such targets before they are drawn: per key point and person the curves across and down.
struct MapBells {
  Size size;
  std::vector<kernels::Bell> bells;  // (K, N, 2)
  Tensor weights;
};

// exp(-|p - c|^2 / (2 sigma^2)) around every visible key point, c rounded to the pixel, within
// 3 sigma; where people overlap the larger value stays. One sigma, or one per instance.
// Xiao, Wu and Wei 2018, arXiv 1804.06208.
MapBells gaussians(Size size, const EncodePoints& points, std::span<const double> sigmas);
// The same around the exact location, over the whole map. Zhang et al. 2020 (DARK),
// arXiv 1910.06278.
MapBells unbiased_gaussians(Size size, const EncodePoints& points, double sigma);
// The exact location within the window of the rounded one. Huang et al. 2020 (UDP),
// arXiv 1911.07524.
MapBells udp_gaussians(Size size, const EncodePoints& points, double sigma);

MapTargets drawn(const MapBells& bells);
// The same for whoever draws later: `name` is the codec's for the maps.
TargetSketch sketched(const MapBells& bells, const char* name);

// maps (3 K, H, W), per key point: 1 within radius = radius_factor * max(W, H) of it, and
// (c - p) / radius for x and y, over the whole map. UDP's combined targets.
MapTargets draw_offsets(Size size, const EncodePoints& points, double radius_factor);

// The points with their locations multiplied by sx and sy.
EncodePoints scaled(const EncodePoints& points, double sx, double sy);

}  // namespace limber
