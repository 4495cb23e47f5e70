#include "pose/codecs/megvii_heatmap.h"

#include <cmath>

#include "pose/codecs/blur.h"
#include "pose/codecs/peaks.h"

namespace limber {
namespace {

// A line of n zeros with a 1 at `centre`, blurred with the border mirrored, is not 0 only on
// [first, first + values.size()); the rest of the map need not be touched.
struct BlurredImpulse {
  int64_t first;
  std::vector<float> values;
};

BlurredImpulse blurred_impulse(int64_t n, int64_t centre, Blur& blur) {
  const int64_t r = int64_t(blur.kernel().size()) / 2;
  const int64_t first = std::max<int64_t>(0, centre - r), last = std::min(n - 1, centre + r);
  // The mirrored border reaches r pixels into the line, so that much of it decides the values.
  std::vector<float> line(static_cast<size_t>(n), 0.0f);
  line[size_t(centre)] = 1;
  blur.apply(line.data(), 1, n, Border::reflect);
  return {first, {line.begin() + first, line.begin() + last + 1}};
}

}  // namespace

MegviiHeatmap::MegviiHeatmap(const Config& config)
    : heatmap_size_(read_size(config, "heatmap_size")),
      kernel_size_(config.get<int>("kernel_size")) {
  check_input(kernel_size_ > 0 && kernel_size_ % 2 == 1, config.path(),
              ".kernel_size: must be odd and positive, not ", kernel_size_);
  const Size input = read_size(config, "input_size");
  scale_x_ = double(input.width) / double(heatmap_size_.width);
  scale_y_ = double(input.height) / double(heatmap_size_.height);
}

TensorLists MegviiHeatmap::encode(const EncodeInput& input) const {
  const EncodePoints points = read_one_person(input, "MegviiHeatmap");
  const auto [width, height] = heatmap_size_;
  Tensor maps = Tensor::zeros({points.count, height, width});
  Tensor weights = points.visible.clone();
  Blur blur(kernel_size_);
  for (int64_t k = 0; k < points.count; ++k) {
    if (points.visibility(0, k) < 0.5f) continue;
    const float* p = points.at(0, k);
    const int64_t x = int64_t(p[0] / float(scale_x_)), y = int64_t(p[1] / float(scale_y_));
    if (x < 0 || x >= width || y < 0 || y >= height) {
      weights.data<float>()[k] = 0;
      continue;
    }
    const BlurredImpulse gx = blurred_impulse(width, x, blur);
    const BlurredImpulse gy = blurred_impulse(height, y, blur);
    const float peak = gx.values[size_t(x - gx.first)] * gy.values[size_t(y - gy.first)];
    for (size_t j = 0; j < gy.values.size(); ++j) {
      float* row = maps.data<float>() + (k * height + gy.first + int64_t(j)) * width + gx.first;
      for (size_t i = 0; i < gx.values.size(); ++i)
        row[i] = gx.values[i] * gy.values[j] / peak * 255;
    }
  }
  return {{"heatmaps", {maps}}, {"keypoint_weights", {weights}}};
}

Decoded MegviiHeatmap::decode(std::span<const Tensor> encoded) const {
  check_count(encoded, 1, 1, "MegviiHeatmap", "heatmaps");
  const Maps maps = maps_of(read_maps(encoded[0], heatmap_size_, "MegviiHeatmap"));
  Blur blur(kernel_size_);
  const Tensor locations = Tensor::empty({maps.count, 2}), scores = Tensor::empty({maps.count});
  find_megvii_peaks(maps, blur, locations.data<float>(), scores.data<float>());
  Decoded decoded = one_person(locations, scores);
  scale_points(decoded.keypoints, scale_x_, scale_y_);
  return decoded;
}

std::map<std::string, std::string> MegviiHeatmap::label_mapping() const {
  return {{"keypoint_weights", "keypoint_weights"}};
}

std::map<std::string, std::string> MegviiHeatmap::field_mapping() const {
  return {{"heatmaps", "heatmaps"}};
}

}  // namespace limber
