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
};

// The bounds are cut towards zero, as the reference casts them: with a fractional radius, windows
// that leave the map at the left or the top sit one pixel off.
Window window_around(int64_t x, int64_t y, double radius) {
  return {int64_t(double(x) - radius), int64_t(double(y) - radius), int64_t(double(x) + radius + 1),
          int64_t(double(y) + radius + 1)};
}

MapTargets empty_targets(Size size, const Points& points, int64_t maps_per_point = 1) {
  return {Tensor::zeros({points.count * maps_per_point, size.height, size.width}),
          points.visible.clone()};
}

// map = max(map, gx gy^T) on the part of the window that is on the map; gx and gy hold the window's
// columns and rows.
void draw_product(float* map, Size size, const Window& w, const std::vector<float>& gx,
                  const std::vector<float>& gy) {
  const int64_t x0 = std::max<int64_t>(0, w.left);
  const int64_t x1 = std::min({size.width, w.right, w.left + int64_t(gx.size())});
  const int64_t y0 = std::max<int64_t>(0, w.top);
  const int64_t y1 = std::min({size.height, w.bottom, w.top + int64_t(gy.size())});
  for (int64_t y = y0; y < y1; ++y) {
    float* row = map + y * size.width;
    const float scale = gy[size_t(y - w.top)];
    for (int64_t x = x0; x < x1; ++x) row[x] = std::max(row[x], scale * gx[size_t(x - w.left)]);
  }
}

// exp(-(i - centre)^2 / (2 sigma^2)) for i = 0, 1, ..., n - 1.
void gaussian_line(double centre, double sigma, int64_t n, std::vector<float>& line) {
  line.resize(size_t(n));
  const double scale = -1 / (2 * sigma * sigma);
  for (int64_t i = 0; i < n; ++i)
    line[size_t(i)] = float(std::exp(scale * (double(i) - centre) * (double(i) - centre)));
}

// Draws every visible key point by draw(map, point, sigma), which returns false when the point is
// too far off the map to leave a trace.
template <class Draw>
MapTargets draw_all(Size size, const Points& points, const Draw& draw) {
  MapTargets targets = empty_targets(size, points);
  for (int64_t n = 0; n < points.instances; ++n)
    for (int64_t k = 0; k < points.count; ++k) {
      if (points.visibility(n, k) < 0.5f) continue;
      float* map = targets.maps.data<float>() + k * size.width * size.height;
      if (!draw(map, points.at(n, k), n)) targets.weights.data<float>()[n * points.count + k] = 0;
    }
  return targets;
}

}  // namespace

MapTargets draw_gaussians(Size size, const Points& points, std::span<const double> sigmas) {
  check(sigmas.size() == 1 || int64_t(sigmas.size()) == points.instances,
        "draw_gaussians: ", sigmas.size(), " sigmas for ", points.instances, " instances");
  std::vector<float> line;
  return draw_all(size, points, [&](float* map, const float* p, int64_t n) {
    const double sigma = sigmas[sigmas.size() == 1 ? 0 : size_t(n)], radius = 3 * sigma;
    const Window w = window_around(int64_t(p[0] + 0.5f), int64_t(p[1] + 0.5f), radius);
    if (w.off(size)) return false;
    const double extent = 2 * radius + 1;
    gaussian_line(std::floor(extent / 2), sigma, int64_t(std::ceil(extent)), line);
    draw_product(map, size, w, line, line);
    return true;
  });
}

MapTargets draw_unbiased_gaussians(Size size, const Points& points, double sigma) {
  std::vector<float> gx, gy;
  const double radius = 3 * sigma;
  return draw_all(size, points, [&](float* map, const float* p, int64_t) {
    if (p[0] - radius >= double(size.width) || p[1] - radius >= double(size.height) ||
        p[0] + radius + 1 < 0 || p[1] + radius + 1 < 0)
      return false;
    gaussian_line(p[0], sigma, size.width, gx);
    gaussian_line(p[1], sigma, size.height, gy);
    draw_product(map, size, {0, 0, size.width, size.height}, gx, gy);
    return true;
  });
}

MapTargets draw_udp_gaussians(Size size, const Points& points, double sigma) {
  std::vector<float> gx, gy;
  const double radius = 3 * sigma, extent = 2 * radius + 1;
  return draw_all(size, points, [&](float* map, const float* p, int64_t) {
    const int64_t x = int64_t(p[0] + 0.5f), y = int64_t(p[1] + 0.5f);
    const Window w = window_around(x, y, radius);
    if (w.off(size)) return false;
    const double centre = std::floor(extent / 2);
    gaussian_line(centre + p[0] - double(x), sigma, int64_t(std::ceil(extent)), gx);
    gaussian_line(centre + p[1] - double(y), sigma, int64_t(std::ceil(extent)), gy);
    draw_product(map, size, w, gx, gy);
    return true;
  });
}

MapTargets draw_offsets(Size size, const Points& points, double radius_factor) {
  MapTargets targets = empty_targets(size, points, 3);
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

Points scaled(const Points& points, double sx, double sy) {
  Points out = points;
  out.keypoints = points.keypoints.clone();
  scale_points(out.keypoints, sx, sy);
  return out;
}

}  // namespace limber
