#include "pose/codecs/peaks.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace limber {

void scale_points(float* points, int64_t count, int64_t step, double sx, double sy) {
  for (float* p = points; p != points + count * step; p += step) {
    p[0] *= float(sx);
    p[1] *= float(sy);
  }
}

void scale_points(const Tensor& points, double sx, double sy) {
  const int64_t step = points.size(-1);
  scale_points(points.data<float>(), points.numel() / step, step, sx, sy);
}

float largest(const float* values, int64_t n) {
  constexpr int kLanes = 16;  // independent maxima, so that the loop can be vectorised
  float best = values[0];
  int64_t i = 0;
  if (n >= kLanes) {
    float lanes[kLanes];
    std::copy_n(values, kLanes, lanes);
    for (i = kLanes; i + kLanes <= n; i += kLanes)
      for (int j = 0; j < kLanes; ++j)
        lanes[j] = values[i + j] > lanes[j] ? values[i + j] : lanes[j];
    for (int j = 1; j < kLanes; ++j) best = lanes[j] > best ? lanes[j] : best;
    best = lanes[0] > best ? lanes[0] : best;
  }
  for (; i < n; ++i) best = values[i] > best ? values[i] : best;
  return best;
}

int64_t position_of_largest(const float* values, int64_t n) {
  const float best = largest(values, n);
  if (std::isnan(best)) return 0;
  return std::find(values, values + n, best) - values;
}

Maps maps_of(const Tensor& maps) {
  check(maps.rank() == 3, "maps ", maps.shape(), ", (K, H, W) are wanted");
  return {maps.data<float>(), maps.size(0), maps.size(1), maps.size(2)};
}

void find_peaks(const Maps& maps, float* locations, float* values) {
  for (int64_t k = 0; k < maps.count; ++k, locations += 2) {
    const float* map = maps.map(k);
    const int64_t at = position_of_largest(map, maps.height * maps.width);
    values[k] = map[at];
    locations[0] = values[k] <= 0 ? -1.0f : float(at % maps.width);
    locations[1] = values[k] <= 0 ? -1.0f : float(at / maps.width);
  }
}

Peaks find_peaks(const Tensor& maps) {
  check(maps.rank() >= 2, "find_peaks: maps ", maps.shape(), ", (..., H, W) is wanted");
  const int64_t height = maps.size(-2), width = maps.size(-1);
  check(height * width > 0, "find_peaks: empty maps ", maps.shape());
  const Shape counts = maps.shape().without(-1).without(-1);
  Peaks peaks{Tensor::empty(counts.inserted(counts.rank(), 2)), Tensor::empty(counts)};
  find_peaks({maps.data<float>(), counts.numel(), height, width}, peaks.locations.data<float>(),
             peaks.values.data<float>());
  return peaks;
}

Tensor keep_local_maxima(const Tensor& maps, int kernel) {
  check(kernel > 0 && kernel % 2 == 1, "keep_local_maxima: the kernel must be odd, not ", kernel);
  const int64_t height = maps.size(-2), width = maps.size(-1), area = height * width;
  const int64_t r = kernel / 2;
  Tensor out = maps.clone();
  std::vector<float> rows(static_cast<size_t>(area));  // maxima along x
  const float* map = maps.data<float>();
  float* kept = out.data<float>();
  for (int64_t offset = 0; offset < maps.numel(); offset += area, map += area, kept += area) {
    for (int64_t y = 0; y < height; ++y)
      for (int64_t x = 0; x < width; ++x) {
        const int64_t x0 = std::max<int64_t>(0, x - r), x1 = std::min(width - 1, x + r);
        const float* row = map + y * width;
        rows[size_t(y * width + x)] = *std::max_element(row + x0, row + x1 + 1);
      }
    for (int64_t y = 0; y < height; ++y)
      for (int64_t x = 0; x < width; ++x) {
        float best = rows[size_t(y * width + x)];
        for (int64_t s = std::max<int64_t>(0, y - r); s <= std::min(height - 1, y + r); ++s)
          best = std::max(best, rows[size_t(s * width + x)]);
        if (best != map[y * width + x]) kept[y * width + x] = 0;
      }
  }
  return out;
}

}  // namespace limber
