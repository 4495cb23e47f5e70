#include "pose/codecs/msra_heatmap.h"

namespace limber {

MSRAHeatmap::MSRAHeatmap(const Config& config)
    : heatmap_size_(read_size(config, "heatmap_size")),
      sigma_(config.get<double>("sigma")),
      unbiased_(config.get("unbiased", false)),
      blur_kernel_size_(read_blur_kernel(config)) {
  const Size input = read_size(config, "input_size");
  scale_x_ = double(input.width) / double(heatmap_size_.width);
  scale_y_ = double(input.height) / double(heatmap_size_.height);
}

MapBells MSRAHeatmap::bells(const EncodeInput& input) const {
  const EncodePoints points =
      scaled(read_one_person(input, "MSRAHeatmap"), 1 / scale_x_, 1 / scale_y_);
  return unbiased_ ? unbiased_gaussians(heatmap_size_, points, sigma_)
                   : gaussians(heatmap_size_, points, {&sigma_, 1});
}

TensorLists MSRAHeatmap::encode(const EncodeInput& input) const {
  const MapTargets targets = drawn(bells(input));
  return {{"heatmaps", {targets.maps}}, {"keypoint_weights", {targets.weights}}};
}

std::optional<TargetSketch> MSRAHeatmap::sketch(const EncodeInput& input) const {
  return sketched(bells(input), "heatmaps");
}

Decoded MSRAHeatmap::decode(std::span<const Tensor> encoded) const {
  check_count(encoded, 1, 1, "MSRAHeatmap", "heatmaps");
  const Tensor maps = read_maps(encoded[0], heatmap_size_, "MSRAHeatmap");
  const Peaks peaks = find_peaks(maps);
  Decoded decoded = one_person(peaks.locations, peaks.values);
  if (unbiased_) {
    refine_dark(decoded.keypoints, maps, blur_kernel_size_);
  } else {
    refine_by_neighbours(decoded.keypoints, maps);
  }
  scale_points(decoded.keypoints, scale_x_, scale_y_);
  return decoded;
}

std::map<std::string, std::string> MSRAHeatmap::label_mapping() const {
  return {{"keypoint_weights", "keypoint_weights"}};
}

std::map<std::string, std::string> MSRAHeatmap::field_mapping() const {
  return {{"heatmaps", "heatmaps"}};
}

}  // namespace limber
