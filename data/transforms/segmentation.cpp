// Filling of outlines with the COCO tools' rules: polygons are traced at five times the resolution
// and toggle the mask along columns.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "data/transforms/bottomup.h"

namespace limber {
namespace {

// Positions (column by column) at which a polygon's inside begins or ends.
void trace_polygon(const std::vector<float>& xy, int H, int W, std::vector<int64_t>& toggles) {
  constexpr double kScale = 5;
  const size_t corners = xy.size() / 2;
  std::vector<int> u, v;
  const auto at = [&](size_t i, size_t d) { return int(kScale * xy[2 * (i % corners) + d] + 0.5); };
  for (size_t i = 0; i < corners; ++i) {
    int xs = at(i, 0), ys = at(i, 1), xe = at(i + 1, 0), ye = at(i + 1, 1);
    const int dx = std::abs(xe - xs), dy = std::abs(ye - ys);
    const bool flip = (dx >= dy && xs > xe) || (dx < dy && ys > ye);
    if (flip) std::swap(xs, xe), std::swap(ys, ye);
    const int steps = std::max(dx, dy);
    const double slope = steps == 0 ? 0 : dx >= dy ? double(ye - ys) / dx : double(xe - xs) / dy;
    for (int d = 0; d <= steps; ++d) {
      const int t = flip ? steps - d : d;
      u.push_back(dx >= dy ? t + xs : int(xs + slope * t + 0.5));
      v.push_back(dx >= dy ? int(ys + slope * t + 0.5) : t + ys);
    }
  }
  for (size_t j = 1; j < u.size(); ++j) {
    if (u[j] == u[j - 1]) continue;
    const double x = (double(u[j] < u[j - 1] ? u[j] : u[j] - 1) + 0.5) / kScale - 0.5;
    if (std::floor(x) != x || x < 0 || x > W - 1) continue;
    const double y = (double(std::min(v[j], v[j - 1])) + 0.5) / kScale - 0.5;
    toggles.push_back(int64_t(x) * H + int64_t(std::ceil(std::clamp(y, 0.0, double(H)))));
  }
}

}  // namespace

Tensor segmentation_mask(const std::vector<Segmentation>& outlines,
                         const std::array<int, 2>& height_width) {
  const auto [H, W] = height_width;
  check(H > 0 && W > 0, "segmentation_mask: the image has no size");
  Tensor mask = Tensor::zeros({H, W, 1}, DType::u8);
  uint8_t* out = mask.data<uint8_t>();
  const auto fill = [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < std::min(to, int64_t(H) * W); ++i) out[i % H * W + i / H] = 1;
  };
  for (const Segmentation& outline : outlines) {
    for (const std::vector<float>& polygon : outline.polygons) {
      if (polygon.size() < 6) continue;
      std::vector<int64_t> toggles;
      trace_polygon(polygon, H, W, toggles);
      toggles.push_back(int64_t(H) * W);
      std::sort(toggles.begin(), toggles.end());
      for (size_t i = 0; i + 1 < toggles.size(); i += 2) fill(toggles[i], toggles[i + 1]);
    }
    if (outline.size != height_width) continue;  // run lengths of another image's size
    int64_t position = 0;
    for (size_t i = 0; i < outline.run_lengths.size(); ++i) {
      const int64_t end = position + outline.run_lengths[i];
      if (i % 2 == 1) fill(position, end);
      position = end;
    }
  }
  return mask;
}

}  // namespace limber
