#include "pose/codecs/hand_3d_heatmap.h"

#include <algorithm>
#include <cmath>

#include "pose/codecs/heatmap_ops.h"

namespace limber {
namespace {

constexpr char kName[] = "Hand3DHeatmap";

}  // namespace

Hand3DHeatmap::Hand3DHeatmap(const Config& config)
    : image_size_{256, 256},
      map_size_{64, 64, 64},
      depth_bound_(config.get("heatmap3d_depth_bound", 400.0)),
      root_depth_bound_(config.get("root_depth_bound", 400.0)),
      root_map_size_(config.get<int64_t>("root_heatmap_size", 64)),
      root_map_limit_(config.get<int64_t>("heatmap_size_root", 64)),
      sigma_(config.get("sigma", 2.0)),
      max_bound_(config.get("max_bound", 1.0)),
      joint_weights_(config.get("use_different_joint_weights", false)),
      joint_indices_(config.get("joint_indices", std::vector<int64_t>{})) {
  config.get<int64_t>("depth_size", 64);  // said once more by heatmap_size
  if (config.has("image_size")) image_size_ = read_size(config, "image_size");
  const auto size = config.get("heatmap_size", std::vector<int64_t>{64, 64, 64});
  check_input(size.size() == 3 && size[0] > 0 && size[1] > 0 && size[2] > 0, config.path(),
              ".heatmap_size: width, height and depth are wanted");
  map_size_ = {size[0], size[1], size[2]};
}

// map (D, H, W) = max(map, Gaussian around centre) on the cube of 3 sigma around it. What
// falls off the map lands on its border, with the value that belongs there. Cells are the rounded
// places centre - 3 sigma, + 1, ...: where these are halves, every other cell is left out, as in
// the reference (rounding to even, single precision).
void Hand3DHeatmap::draw(float* map, const float* centre) const {
  const int64_t extent[] = {map_size_.width, map_size_.height, map_size_.depth};
  std::vector<int64_t> cells[3];
  std::vector<float> line[3];
  const float radius = float(3 * sigma_);
  for (int a = 0; a < 3; ++a)
    for (int t = 0; t < int(std::ceil(6 * sigma_ + 1)); ++t) {
      const int64_t cell =
          std::clamp<int64_t>(std::lrint((float(t) - radius) + centre[a]), 0, extent[a] - 1);
      if (!cells[a].empty() && cells[a].back() == cell) continue;
      const double d = (double(cell) - double(centre[a])) / sigma_;
      cells[a].push_back(cell);
      line[a].push_back(float(std::exp(-0.5 * d * d)));
    }
  for (size_t z = 0; z < cells[2].size(); ++z)
    for (size_t y = 0; y < cells[1].size(); ++y) {
      const float scale = float(max_bound_) * line[2][z] * line[1][y];
      float* row = map + (cells[2][z] * map_size_.height + cells[1][y]) * map_size_.width;
      for (size_t x = 0; x < cells[0].size(); ++x)
        row[cells[0][x]] = std::max(row[cells[0][x]], scale * line[0][x]);
    }
}

TensorLists Hand3DHeatmap::encode(const EncodeInput& input) const {
  const EncodePoints points = read_one_person(input, kName, 3);
  const int64_t count = joint_indices_.empty() ? points.count : int64_t(joint_indices_.size());
  Tensor joint_weights;
  if (joint_weights_) {
    joint_weights = auxiliary(input, kName, "dataset_keypoint_weights");
    check(joint_weights.numel() == points.count, kName, ": dataset_keypoint_weights ",
          joint_weights.shape(), " for ", points.count, " joints");
  }
  Tensor maps = Tensor::zeros({count * map_size_.depth, map_size_.height, map_size_.width});
  Tensor weights = Tensor::empty({1, count});
  for (int64_t i = 0; i < count; ++i) {
    const int64_t k = joint_indices_.empty() ? i : joint_indices_[size_t(i)];
    check(k >= 0 && k < points.count, kName, ": joint_indices names joint ", k, " of ",
          points.count);
    const float* p = points.at(0, k);
    const float centre[] = {p[0] * float(map_size_.width) / float(image_size_.width),
                            p[1] * float(map_size_.height) / float(image_size_.height),
                            (p[2] / float(depth_bound_) + 0.5f) * float(map_size_.depth)};
    const bool inside = centre[2] >= 0 && centre[2] < float(map_size_.depth);
    float& weight = weights.data<float>()[i];
    weight = inside ? points.visibility(0, k) : 0;
    if (joint_weights_) weight *= joint_weights.data<float>()[k];
    draw(maps.data<float>() + i * map_size_.depth * map_size_.height * map_size_.width, centre);
  }
  const double bin = (auxiliary(input, kName, "rel_root_depth").item() / root_depth_bound_ + 0.5) *
                     double(root_map_size_);
  const bool on_map = bin >= 0 && bin <= double(root_map_limit_);
  const double valid = on_map ? auxiliary(input, kName, "rel_root_valid").item() : 0;
  const Tensor type = auxiliary(input, kName, "hand_type");
  const Tensor type_valid = auxiliary(input, kName, "hand_type_valid");
  return {{"heatmaps", {maps}},
          {"keypoint_weights", {weights}},
          {"root_depth", {Tensor::full({1}, bin)}},
          {"root_depth_weight", {Tensor::full({1}, valid)}},
          {"type", {type.alias({1, type.numel()})}},
          {"type_weight", {type_valid.alias({type_valid.numel()})}}};
}

Decoded Hand3DHeatmap::decode(std::span<const Tensor> encoded) const {
  check_count(encoded, 3, 3, kName, "heatmaps, root_depth and hand_type");
  const auto [width, height, depth] = map_size_;
  check(encoded[0].rank() == 4 && encoded[0].shape().without(0) == Shape({depth, height, width}),
        kName, ": maps ", encoded[0].shape(), ", (K, ", depth, ", ", height, ", ", width,
        ") is wanted");
  const Tensor maps = encoded[0].to(DType::f32);
  const int64_t count = maps.size(0), volume = depth * height * width;
  Decoded decoded;
  decoded.keypoints = Tensor::empty({1, count, 3});
  decoded.scores = Tensor::empty({1, count});
  for (int64_t k = 0; k < count; ++k) {
    const float* map = maps.data<float>() + k * volume;
    const int64_t at = position_of_largest(map, volume);
    decoded.scores.data<float>()[k] = map[at];
    const bool none = map[at] <= 0;
    const double cell[] = {none ? -1.0 : double(at % width),
                           none ? -1.0 : double(at / width % height),
                           none ? -1.0 : double(at / (width * height))};
    float* p = decoded.keypoints.data<float>() + 3 * k;
    p[0] = float(cell[0] * double(image_size_.width) / double(width));
    p[1] = float(cell[1] * double(image_size_.height) / double(height));
    p[2] = float((cell[2] / double(depth) - 0.5) * depth_bound_);
  }
  Tensor root_depth = encoded[1].to(DType::f32).clone();
  for (float& v : root_depth.span<float>())
    v = float((v / double(root_map_size_) - 0.5) * root_depth_bound_);
  const Tensor logits = encoded[2].to(DType::f32);
  Tensor type = Tensor::empty({1, logits.numel()}, DType::i64);
  for (int64_t i = 0; i < logits.numel(); ++i)
    type.data<int64_t>()[i] = logits.data<float>()[i] > 0;
  decoded.more["rel_root_depth"] = {root_depth.alias({root_depth.numel()})};
  decoded.more["hand_type"] = {type};
  return decoded;
}

std::map<std::string, std::string> Hand3DHeatmap::label_mapping() const {
  return {{"keypoint_weights", "keypoint_weights"},
          {"root_depth", "root_depth"},
          {"root_depth_weight", "root_depth_weight"},
          {"type", "type"},
          {"type_weight", "type_weight"}};
}

std::map<std::string, std::string> Hand3DHeatmap::field_mapping() const {
  return {{"heatmaps", "heatmaps"}};
}

}  // namespace limber
