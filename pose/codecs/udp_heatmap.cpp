#include "pose/codecs/udp_heatmap.h"

#include <algorithm>

#include "pose/codecs/blur.h"
#include "pose/codecs/heatmap_ops.h"

namespace limber {

UDPHeatmap::UDPHeatmap(const Config& config)
    : input_size_(read_size(config, "input_size")),
      heatmap_size_(read_size(config, "heatmap_size")),
      sigma_(config.get("sigma", 2.0)),
      radius_factor_(config.get("radius_factor", 0.0546875)),
      blur_kernel_size_(read_blur_kernel(config)) {
  const auto type = config.get<std::string>("heatmap_type", "gaussian");
  check_choice(config, "heatmap_type", type, {"gaussian", "combined"});
  combined_ = type == "combined";
  check_input(heatmap_size_.width > 1 && heatmap_size_.height > 1, config.path(),
              ".heatmap_size: at least 2 x 2 is wanted");
}

EncodePoints UDPHeatmap::points_on_map(const EncodeInput& input) const {
  return scaled(read_one_person(input, "UDPHeatmap"),
                double(heatmap_size_.width - 1) / double(input_size_.width - 1),
                double(heatmap_size_.height - 1) / double(input_size_.height - 1));
}

TensorLists UDPHeatmap::encode(const EncodeInput& input) const {
  const EncodePoints points = points_on_map(input);
  const MapTargets targets = combined_ ? draw_offsets(heatmap_size_, points, radius_factor_)
                                       : drawn(udp_gaussians(heatmap_size_, points, sigma_));
  return {{"heatmaps", {targets.maps}}, {"keypoint_weights", {targets.weights}}};
}

std::optional<TargetSketch> UDPHeatmap::sketch(const EncodeInput& input) const {
  if (combined_) return std::nullopt;
  return sketched(udp_gaussians(heatmap_size_, points_on_map(input), sigma_), "heatmaps");
}

Decoded UDPHeatmap::decode_combined(const Tensor& maps) const {
  check(maps.size(0) % 3 == 0, "UDPHeatmap: combined maps ", maps.shape(),
        ", three per key point are wanted");
  const int64_t count = maps.size(0) / 3, area = heatmap_size_.width * heatmap_size_.height;
  Tensor disks = Tensor::empty({count, heatmap_size_.height, heatmap_size_.width});
  Blur blur(2 * blur_kernel_size_ + 1);
  for (int64_t k = 0; k < count; ++k) {
    float* disk = disks.data<float>() + k * area;
    std::copy_n(maps.data<float>() + 3 * k * area, area, disk);
    blur.apply(disk, heatmap_size_.height, heatmap_size_.width, Border::reflect);
  }
  const Peaks peaks = find_peaks(disks);
  const float radius =
      float(radius_factor_ * double(std::max(heatmap_size_.width, heatmap_size_.height)));
  for (int64_t k = 0; k < count; ++k) {
    float* p = peaks.locations.data<float>() + 2 * k;
    if (p[0] < 0) continue;  // no peak: stays at (-1, -1)
    const float* dx = maps.data<float>() + (3 * k + 1) * area +
                      int64_t(p[1]) * heatmap_size_.width + int64_t(p[0]);
    p[0] += dx[0] * radius;
    p[1] += dx[area] * radius;
  }
  return one_person(peaks.locations, peaks.values);
}

Decoded UDPHeatmap::decode(std::span<const Tensor> encoded) const {
  check_count(encoded, 1, 1, "UDPHeatmap", "heatmaps");
  const Tensor maps = read_maps(encoded[0], heatmap_size_, "UDPHeatmap");
  Decoded decoded;
  if (combined_) {
    decoded = decode_combined(maps);
  } else {
    const Peaks peaks = find_peaks(maps);
    decoded = one_person(peaks.locations, peaks.values);
    refine_dark_udp(decoded.keypoints, maps, blur_kernel_size_);
  }
  scale_points(decoded.keypoints, double(input_size_.width) / double(heatmap_size_.width - 1),
               double(input_size_.height) / double(heatmap_size_.height - 1));
  return decoded;
}

std::map<std::string, std::string> UDPHeatmap::label_mapping() const {
  return {{"keypoint_weights", "keypoint_weights"}};
}

std::map<std::string, std::string> UDPHeatmap::field_mapping() const {
  return {{"heatmaps", "heatmaps"}};
}

}  // namespace limber
