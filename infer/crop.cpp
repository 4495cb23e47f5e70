#include "infer/crop.h"

#include <algorithm>
#include <cmath>

namespace limber {
namespace {

constexpr int kWeightBits = 5, kWeights = 1 << kWeightBits;

int32_t rounded(double v) { return int32_t(std::lrint(std::clamp(v, -1e9, 1e9))); }

// The smallest enlargement of the box's padded size with the input's shape.
CropPlace place_of(const float* box, const Preprocessing& p) {
  const float pad = float(p.padding), ratio = float(double(p.width) / double(p.height));
  // As through corners, x2 = x + w: f32 rounds alike that way.
  const float x2 = box[0] + box[2], y2 = box[1] + box[3];
  const float w = (x2 - box[0]) * pad, h = (y2 - box[1]) * pad;
  check_input(w > 0 && h > 0 && std::isfinite(x2) && std::isfinite(y2), "a box of ", box[2], " x ",
              box[3], " at (", box[0], ", ", box[1], ") has no area");
  const bool wide = w > h * ratio;
  return {{double((x2 + box[0]) * 0.5f), double((y2 + box[1]) * 0.5f)},
          {double(wide ? w : h * ratio), double(wide ? w / ratio : h)}};
}

}  // namespace

CropPlace crop_input(const Picture& picture, const float* box, const Preprocessing& p,
                     float* input) {
  const CropPlace place = place_of(box, p);
  const Matrix23 forward =
      p.udp ? udp_warp_matrix(place.center, place.scale, 0, {double(p.width), double(p.height)})
            : warp_matrix(place.center, place.scale, 0, {p.width, p.height});
  const Matrix23 m = inverse(forward);
  static constexpr uint8_t kBlack[3] = {0, 0, 0};
  const auto pixel = [&](int64_t x, int64_t y) {
    const bool inside = x >= 0 && y >= 0 && x < picture.width && y < picture.height;
    return inside ? picture.rgb + y * picture.stride + 3 * x : kBlack;
  };
  float factor[3];
  for (size_t c = 0; c < 3; ++c) factor[c] = 1 / p.deviation[c];
  for (int i = 0; i < p.height; ++i) {
    const int32_t row_x = rounded((m[1] * i + m[2]) * 1024) + 16;
    const int32_t row_y = rounded((m[4] * i + m[5]) * 1024) + 16;
    for (int j = 0; j < p.width; ++j, input += 3) {
      const int32_t at_x = (row_x + rounded(m[0] * j * 1024)) >> 5;
      const int32_t at_y = (row_y + rounded(m[3] * j * 1024)) >> 5;
      const int64_t x = at_x >> kWeightBits, y = at_y >> kWeightBits;
      const int u = at_x & (kWeights - 1), v = at_y & (kWeights - 1);
      const uint8_t *a = pixel(x, y), *b = pixel(x + 1, y), *c = pixel(x, y + 1),
                    *d = pixel(x + 1, y + 1);
      for (int k = 0; k < 3; ++k) {
        const int from = p.rgb ? k : 2 - k;
        const int upper = (kWeights - u) * a[from] + u * b[from];
        const int lower = (kWeights - u) * c[from] + u * d[from];
        const int value = ((kWeights - v) * upper + v * lower + 512) >> 10;
        input[k] = (float(value) - p.mean[size_t(k)]) * factor[k];
      }
    }
  }
  return place;
}

}  // namespace limber
