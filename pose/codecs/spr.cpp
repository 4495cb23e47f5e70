#include "pose/codecs/spr.h"

#include <algorithm>
#include <cmath>

namespace limber {
namespace {

// map at (x, y) given in units where 0 and 1 are the centres of the first and the last pixel,
// sampled as torch.nn.functional.grid_sample does without align_corners, the border repeated.
float sample_border(const float* map, Size size, float x, float y) {
  const auto place = [](float v, int64_t extent) {
    const float pixel = ((2 * v - 1 + 1) * float(extent) - 1) / 2;
    return std::clamp(pixel, 0.0f, float(extent - 1));
  };
  const float px = place(x, size.width), py = place(y, size.height);
  const int64_t x0 = int64_t(px), y0 = int64_t(py);
  const int64_t x1 = std::min(size.width - 1, x0 + 1), y1 = std::min(size.height - 1, y0 + 1);
  const float fx = px - float(x0), fy = py - float(y0);
  const float *top = map + y0 * size.width, *bottom = map + y1 * size.width;
  return (1 - fy) * ((1 - fx) * top[x0] + fx * top[x1]) +
         fy * ((1 - fx) * bottom[x0] + fx * bottom[x1]);
}

Tensor weights_of(const Tensor& maps, double background) {
  Tensor weights = Tensor::full(maps.shape(), background);
  const float* map = maps.data<float>();
  for (float& w : weights.span<float>())
    if (*map++ > 0) w = 1;
  return weights;
}

Tensor stacked(const Tensor& a, const Tensor& b) {
  Tensor out = Tensor::empty(a.shape().with(0, a.size(0) + b.size(0)));
  out.alias(a.shape()).copy_from(a);
  out.alias(b.shape(), a.numel()).copy_from(b);
  return out;
}

}  // namespace

SPR::SPR(const Config& config)
    : heatmap_size_(read_size(config, "heatmap_size")),
      keypoint_maps_(config.get("generate_keypoint_heatmaps", false)),
      root_type_(read_root_type(config)),
      minimal_diagonal_(config.get("minimal_diagonal_length", 5.0)),
      background_weight_(config.get("background_weight", 0.1)),
      nms_kernel_(config.get("decode_nms_kernel", 5)),
      max_instances_(config.get("decode_max_instances", 30)),
      threshold_(config.get("decode_thr", 0.01)) {
  const Size input = read_size(config, "input_size");
  scale_x_ = double(input.width) / double(heatmap_size_.width);
  scale_y_ = double(input.height) / double(heatmap_size_.height);
  std::vector<double> sigma;
  if (config.find("sigma").is_list()) {
    sigma = config.get<std::vector<double>>("sigma");
  } else if (config.has("sigma")) {
    sigma = {config.get<double>("sigma")};
  } else {
    const double root = std::sqrt(double(heatmap_size_.width * heatmap_size_.height)) / 32;
    sigma = {root, std::floor(root / 2)};
  }
  check_input(sigma.size() == 1 || sigma.size() == 2, config.path(),
              ".sigma: one number or two, not ", sigma.size());
  check_input(!keypoint_maps_ || sigma.size() == 2, config.path(),
              ".sigma: maps of key points need a second number");
  root_sigma_ = sigma[0];
  if (sigma.size() == 2) keypoint_sigma_ = sigma[1];
}

TensorLists SPR::encode(const EncodeInput& input) const {
  const EncodePoints points = scaled(read_points(input, "SPR"), 1 / scale_x_, 1 / scale_y_);
  const EncodePoints roots = instance_roots(points, root_type_);
  const std::vector<float> diagonals = diagonal_lengths(points);
  for (int64_t n = 0; n < points.instances; ++n)
    if (diagonals[size_t(n)] < minimal_diagonal_) roots.visible.data<float>()[n] = 0;

  Tensor maps = drawn(gaussians(heatmap_size_, roots, {&root_sigma_, 1})).maps;
  if (keypoint_maps_)
    maps = stacked(drawn(gaussians(heatmap_size_, points, {&keypoint_sigma_, 1})).maps, maps);
  const Displacements displacements =
      draw_displacements(heatmap_size_, points, roots, diagonals, root_sigma_);
  return {{"heatmaps", {maps}},
          {"heatmap_weights", {weights_of(maps, background_weight_)}},
          {"displacements", {displacements.maps}},
          {"displacement_weights", {displacements.weights}}};
}

Decoded SPR::decode(std::span<const Tensor> encoded) const {
  check_count(encoded, 2, 2, "SPR", "heatmaps and displacements");
  const Tensor maps = read_maps(encoded[0], "SPR"), displacements = read_maps(encoded[1], "SPR");
  const Size size{maps.size(2), maps.size(1)};
  const int64_t area = size.width * size.height, count = displacements.size(0) / 2;
  check(displacements.size(0) % 2 == 0 && displacements.size(1) == size.height &&
            displacements.size(2) == size.width && (maps.size(0) == 1 || maps.size(0) == count + 1),
        "SPR: maps ", maps.shape(), " and displacements ", displacements.shape(),
        ", (1 or K + 1, H, W) and (2 K, H, W) are wanted");
  const float* root_map = maps.data<float>() + (maps.size(0) - 1) * area;
  const auto found =
      top_local_maxima(root_map, size, nms_kernel_, max_instances_, float(threshold_));
  const int64_t people = int64_t(found.size());
  Decoded decoded;
  decoded.keypoints = Tensor::empty({people, count, 2});
  decoded.instance_scores = Tensor::empty({people});
  const bool scored = maps.size(0) > 1;
  if (scored) decoded.scores = Tensor::empty({people, count});
  for (int64_t n = 0; n < people; ++n) {
    const LocalMaximum& root = found[size_t(n)];
    decoded.instance_scores.data<float>()[n] = root.value;
    for (int64_t k = 0; k < count; ++k) {
      const float* d = displacements.data<float>() + 2 * k * area + root.y * size.width + root.x;
      float* p = decoded.keypoints.data<float>() + (n * count + k) * 2;
      p[0] = float(root.x) + d[0];
      p[1] = float(root.y) + d[area];
      if (scored)
        decoded.scores.data<float>()[n * count + k] =
            sample_border(maps.data<float>() + k * area, size, p[0] / float(size.width - 1),
                          p[1] / float(size.height - 1));
    }
  }
  scale_points(decoded.keypoints, scale_x_, scale_y_);
  return decoded;
}

std::map<std::string, std::string> SPR::field_mapping() const {
  return {{"heatmaps", "heatmaps"},
          {"heatmap_weights", "heatmap_weights"},
          {"displacements", "displacements"},
          {"displacement_weights", "displacement_weights"}};
}

}  // namespace limber
