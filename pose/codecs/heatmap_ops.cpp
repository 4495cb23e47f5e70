#include "pose/codecs/heatmap_ops.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace limber {
namespace {

// The square window of a key point: pixels [left, right) x [top, bottom) before clipping.
struct Window {
  int64_t left, top, right, bottom;
  bool off(Size size) const {
    return left >= size.width || top >= size.height || right < 0 || bottom < 0;
  }
  // The reference draws as many as `extent` pixels of a side.
  int64_t right_within(double extent) const {
    return std::min(right, left + int64_t(std::ceil(extent)));
  }
  int64_t bottom_within(double extent) const {
    return std::min(bottom, top + int64_t(std::ceil(extent)));
  }
};

// The bounds are cut towards zero, as the reference casts them: with a fractional radius, windows
// that leave the map at the left or the top sit one pixel off.
Window window_around(int64_t x, int64_t y, double radius) {
  return {int64_t(double(x) - radius), int64_t(double(y) - radius), int64_t(double(x) + radius + 1),
          int64_t(double(y) + radius + 1)};
}

// exp(-(i - first - centre)^2 / (2 sigma^2)) at i = first ... last - 1.
kernels::Bell bell(double centre, double sigma, int64_t first, int64_t last) {
  return {.centre = centre,
          .factor = -1 / (2 * sigma * sigma),
          .height = 1,
          .first = int32_t(first),
          .count = int32_t(last - first)};
}

// The curves across and down of every visible key point, as curves(point, n, pair) writes them; it
// returns false when the point is too far off the map to leave a trace.
template <class Curves>
MapBells all_bells(Size size, const EncodePoints& points, const Curves& curves) {
  MapBells all{size, std::vector<kernels::Bell>(size_t(points.instances * points.count * 2)),
               points.visible.clone()};
  for (int64_t n = 0; n < points.instances; ++n)
    for (int64_t k = 0; k < points.count; ++k) {
      if (points.visibility(n, k) < 0.5f) continue;
      kernels::Bell* pair = all.bells.data() + (k * points.instances + n) * 2;
      if (!curves(points.at(n, k), n, pair)) all.weights.data<float>()[n * points.count + k] = 0;
    }
  return all;
}

}  // namespace

MapBells gaussians(Size size, const EncodePoints& points, std::span<const double> sigmas) {
  check(sigmas.size() == 1 || int64_t(sigmas.size()) == points.instances,
        "gaussians: ", sigmas.size(), " sigmas for ", points.instances, " instances");
  return all_bells(size, points, [&](const float* p, int64_t n, kernels::Bell* pair) {
    const double sigma = sigmas[sigmas.size() == 1 ? 0 : size_t(n)], extent = 6 * sigma + 1;
    const Window w = window_around(int64_t(p[0] + 0.5f), int64_t(p[1] + 0.5f), 3 * sigma);
    if (w.off(size)) return false;
    const double centre = std::floor(extent / 2);
    pair[0] = bell(centre, sigma, w.left, w.right_within(extent));
    pair[1] = bell(centre, sigma, w.top, w.bottom_within(extent));
    return true;
  });
}

MapBells unbiased_gaussians(Size size, const EncodePoints& points, double sigma) {
  const double radius = 3 * sigma;
  return all_bells(size, points, [&](const float* p, int64_t, kernels::Bell* pair) {
    if (p[0] - radius >= double(size.width) || p[1] - radius >= double(size.height) ||
        p[0] + radius + 1 < 0 || p[1] + radius + 1 < 0)
      return false;
    pair[0] = bell(p[0], sigma, 0, size.width);
    pair[1] = bell(p[1], sigma, 0, size.height);
    return true;
  });
}

MapBells udp_gaussians(Size size, const EncodePoints& points, double sigma) {
  const double extent = 6 * sigma + 1;
  return all_bells(size, points, [&](const float* p, int64_t, kernels::Bell* pair) {
    const int64_t x = int64_t(p[0] + 0.5f), y = int64_t(p[1] + 0.5f);
    const Window w = window_around(x, y, 3 * sigma);
    if (w.off(size)) return false;
    const double centre = std::floor(extent / 2);
    pair[0] = bell(centre + p[0] - double(x), sigma, w.left, w.right_within(extent));
    pair[1] = bell(centre + p[1] - double(y), sigma, w.top, w.bottom_within(extent));
    return true;
  });
}

MapTargets drawn(const MapBells& all) {
  const int64_t N = all.weights.size(0), K = all.weights.size(1);
  const MapTargets targets{Tensor::empty({K, all.size.height, all.size.width}), all.weights};
  kernels::draw_maps(one_thread(), targets.maps.out(), {all.bells.data()}, K, N, all.size.height,
                     all.size.width);
  return targets;
}

TargetSketch sketched(const MapBells& all, const char* name) {
  const Shape shape{all.weights.size(1), all.size.height, all.size.width};
  return {{{"keypoint_weights", {all.weights}}}, {{name, shape, /*is_map=*/true, all.bells}}};
}

MapTargets draw_offsets(Size size, const EncodePoints& points, double radius_factor) {
  const MapTargets targets{Tensor::zeros({points.count * 3, size.height, size.width}),
                           points.visible.clone()};
  const float radius = float(radius_factor * double(std::max(size.width, size.height)));
  const int64_t area = size.width * size.height;
  for (int64_t n = 0; n < points.instances; ++n)
    for (int64_t k = 0; k < points.count; ++k) {
      if (points.visibility(n, k) < 0.5f) continue;
      const float* p = points.at(n, k);
      float* disk = targets.maps.data<float>() + 3 * k * area;
      for (int64_t y = 0; y < size.height; ++y)
        for (int64_t x = 0; x < size.width; ++x, ++disk) {
          const float dx = (p[0] - float(x)) / radius, dy = (p[1] - float(y)) / radius;
          disk[0] = dx * dx + dy * dy <= 1 ? 1.0f : 0.0f;
          disk[area] = dx;
          disk[2 * area] = dy;
        }
    }
  return targets;
}

EncodePoints scaled(const EncodePoints& points, double sx, double sy) {
  EncodePoints out = points;
  out.keypoints = points.keypoints.clone();
  scale_points(out.keypoints, sx, sy);
  return out;
}

}  // namespace limber
