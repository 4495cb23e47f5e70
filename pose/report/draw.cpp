#include "pose/report/draw.h"

#include <algorithm>
#include <cmath>

namespace limber {
namespace {

// Blends `colour` where distance(x, y) is below 0, over one pixel's width.
template <class Distance>
void blend(const Tensor& image, double x0, double y0, double x1, double y1, Rgb colour,
           double opacity, const Distance& distance) {
  if (!(std::isfinite(x0) && std::isfinite(y0) && std::isfinite(x1) && std::isfinite(y1))) return;
  const int64_t height = image.size(0), width = image.size(1);
  const auto clip = [](double v, int64_t n) { return int64_t(std::clamp(v, 0.0, double(n - 1))); };
  if (x1 < 0 || y1 < 0 || x0 > double(width) || y0 > double(height)) return;
  for (int64_t y = clip(y0 - 1, height); y <= clip(y1 + 1, height); ++y) {
    for (int64_t x = clip(x0 - 1, width); x <= clip(x1 + 1, width); ++x) {
      const double cover = opacity * std::clamp(0.5 - distance(double(x), double(y)), 0.0, 1.0);
      if (cover <= 0) continue;
      uint8_t* pixel = image.data<uint8_t>() + (y * width + x) * 3;
      for (size_t c = 0; c < 3; ++c)
        pixel[c] = uint8_t(std::lround(pixel[c] + cover * (colour[2 - c] - pixel[c])));
    }
  }
}

// Evenly spread hues for what has no colour of its own.
Rgb hue(size_t index, size_t count) {
  const double h = 6.0 * double(index) / double(std::max<size_t>(count, 1));
  const auto channel = [&](double shift) {
    const double d = std::fmod(h + shift, 6.0);
    return int(255 * std::clamp(std::abs(d - 3) - 1, 0.0, 1.0));
  };
  return {channel(0), channel(4), channel(2)};
}

Rgb colour_of(const std::vector<Rgb>& colours, size_t index, size_t count) {
  if (index >= colours.size()) return hue(index, count);
  return colours[index];
}

}  // namespace

void draw_line(const Tensor& image, double x0, double y0, double x1, double y1, double thickness,
               Rgb colour, double opacity) {
  const double dx = x1 - x0, dy = y1 - y0, square = std::max(dx * dx + dy * dy, 1e-9);
  blend(image, std::min(x0, x1) - thickness, std::min(y0, y1) - thickness,
        std::max(x0, x1) + thickness, std::max(y0, y1) + thickness, colour, opacity,
        [&](double x, double y) {
          const double t = std::clamp(((x - x0) * dx + (y - y0) * dy) / square, 0.0, 1.0);
          return std::hypot(x - x0 - t * dx, y - y0 - t * dy) - thickness / 2;
        });
}

void draw_disc(const Tensor& image, double x, double y, double radius, Rgb colour, double opacity) {
  blend(image, x - radius, y - radius, x + radius, y + radius, colour, opacity,
        [&](double px, double py) { return std::hypot(px - x, py - y) - radius; });
}

void draw_box(const Tensor& image, const float* b, double thickness, Rgb colour) {
  draw_line(image, b[0], b[1], b[2], b[1], thickness, colour);
  draw_line(image, b[2], b[1], b[2], b[3], thickness, colour);
  draw_line(image, b[2], b[3], b[0], b[3], thickness, colour);
  draw_line(image, b[0], b[3], b[0], b[1], thickness, colour);
}

const Tensor& points_on_picture(const Instances& instances) {
  const auto found = instances.more.find("transformed_keypoints");
  return found == instances.more.end() ? instances.keypoints : found->second.at(0);
}

void draw_instances(const Tensor& image, const Instances& instances, const DatasetMeta& meta,
                    const DrawOptions& o) {
  const double thickness =
      o.thickness > 0 ? o.thickness
                      : std::max(1.0, double(std::min(image.size(0), image.size(1))) / 160);
  if (o.boxes && instances.bboxes.defined())
    for (int64_t n = 0; n < instances.bboxes.size(0); ++n)
      draw_box(image, instances.bboxes.data<float>() + 4 * n, std::max(1.0, thickness / 2),
               {80, 220, 120});
  const Tensor& all = points_on_picture(instances);
  if (!all.defined()) return;
  const int64_t K = all.size(1), D = all.size(2);
  const Tensor& scores =
      instances.keypoint_scores.defined() ? instances.keypoint_scores : instances.keypoints_visible;
  for (int64_t n = 0; n < all.size(0); ++n) {
    const float* points = all.data<float>() + n * K * D;
    const auto shown = [&](int64_t k) {
      return k < K &&
             (!scores.defined() || scores.data<float>()[n * K + k] >= float(o.score_threshold));
    };
    const size_t links = meta.skeleton_links.size();
    for (size_t l = 0; l < links; ++l) {
      const auto [a, b] = meta.skeleton_links[l];
      if (!shown(a) || !shown(b)) continue;
      draw_line(image, points[a * D], points[a * D + 1], points[b * D], points[b * D + 1],
                thickness, colour_of(meta.skeleton_link_colors, l, links), 0.85);
    }
    for (int64_t k = 0; k < K; ++k)
      if (shown(k))
        draw_disc(image, points[k * D], points[k * D + 1], thickness * 1.1,
                  colour_of(meta.keypoint_colors, size_t(k), size_t(K)));
  }
}

}  // namespace limber
