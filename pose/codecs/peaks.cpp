#include "pose/codecs/peaks.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace limber {

void scale_points(const Tensor& points, double sx, double sy) {
  const int64_t step = points.size(-1);
  float* p = points.data<float>();
  for (const float* end = p + points.numel(); p != end; p += step) {
    p[0] *= float(sx);
    p[1] *= float(sy);
  }
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

Peaks find_peaks(const Tensor& maps) {
  check(maps.rank() >= 2, "find_peaks: maps ", maps.shape(), ", (..., H, W) is wanted");
  const int64_t width = maps.size(-1), area = width * maps.size(-2);
  check(area > 0, "find_peaks: empty maps ", maps.shape());
  const Shape counts = maps.shape().without(-1).without(-1);
  Peaks peaks{Tensor::empty(counts.inserted(counts.rank(), 2)), Tensor::empty(counts)};
  float* location = peaks.locations.data<float>();
  float* value = peaks.values.data<float>();
  const float* map = maps.data<float>();
  for (int64_t i = 0; i < counts.numel(); ++i, map += area, location += 2) {
    const int64_t at = position_of_largest(map, area);
    value[i] = map[at];
    location[0] = value[i] <= 0 ? -1.0f : float(at % width);
    location[1] = value[i] <= 0 ? -1.0f : float(at / width);
  }
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
