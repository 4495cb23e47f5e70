#include "pose/codecs/simcc_3d_label.h"

#include <algorithm>
#include <cmath>

#include "pose/codecs/lifting_ops.h"

namespace limber {
namespace {

constexpr char kName[] = "SimCC3DLabel";
constexpr const char* kLabels[] = {"keypoint_x_labels", "keypoint_y_labels", "keypoint_z_labels"};
constexpr const char* kSignals[] = {"simcc_x", "simcc_y", "simcc_z"};

// Of the data that MMPose's models were trained on, metres.
constexpr double kDefaultRange = 2.1744869, kMeanRootDepth = 5.14388;

}  // namespace

SimCC3DLabel::SimCC3DLabel(const Config& config)
    : split_ratio_(config.get("simcc_split_ratio", 2.0)),
      normalize_(config.get("normalize", true)),
      use_dark_(config.get("use_dark", false)),
      root_index_(read_root_index(config, /*remove_root=*/false)),
      z_range_(config.find("z_range").is_null() ? kDefaultRange : config.get<double>("z_range")) {
  const auto size = config.get<std::vector<int64_t>>("input_size");
  check_input(size.size() == 3 && std::ranges::all_of(size, [](int64_t v) { return v > 0; }),
              config.path(), ".input_size: a width, a height and a depth are wanted");
  check_input(split_ratio_ > 0, config.path(), ".simcc_split_ratio: must be positive, not ",
              split_ratio_);
  check_input(z_range_ > 0, config.path(), ".z_range: must be positive, not ", z_range_);
  const auto sigma = config.find("sigma").is_list()
                         ? config.get<std::vector<double>>("sigma")
                         : std::vector<double>(3, config.get("sigma", 6.0));
  check_input(sigma.size() == 3, config.path(), ".sigma: one number or three, not ", sigma.size());
  for (size_t d = 0; d < 3; ++d) {
    check_input(sigma[d] > 0, config.path(), ".sigma: must be positive, not ", sigma[d]);
    axes_[d] = {std::llrint(double(size[d]) * split_ratio_), sigma[d]};
    check_input(!use_dark_ || axes_[d].dark_kernel() > 0, config.path(),
                ".use_dark: sigma is too small to blur with");
  }
  depth_ = double(size[2]);
}

// The points' depth in units of the input, (N, K), and what the sample learns of it.
Tensor SimCC3DLabel::depths(const EncodeInput& input, const EncodePoints& points,
                            TensorLists& arrays) const {
  const int64_t N = points.instances, K = points.count;
  const bool known = has_auxiliary(input, "keypoints_3d");
  arrays["with_z_label"] = {Tensor::full({N}, known)};
  // Labels of unknown depth have no weight; the reference draws them at 1.
  Tensor z = Tensor::full({N, K}, 1), root_z = Tensor::full({N}, kMeanRootDepth);
  if (known) {
    const Tensor pose = auxiliary(input, kName, "keypoints_3d");
    check(pose.shape() == Shape({N, K, 3}), kName, ": keypoints_3d ", pose.shape(), ", (", N, ", ",
          K, ", 3) is wanted, as the key points are ", points.keypoints.shape());
    const Tensor root = root_of(pose, root_index_, kName);
    for (int64_t i = 0; i < N * K; ++i) {
      const float root_depth = root.data<float>()[3 * (i / K) + 2];
      root_z.data<float>()[i / K] = root_depth;
      z.data<float>()[i] =
          ((pose.data<float>()[3 * i + 2] - root_depth) / float(z_range_) + 1) * float(depth_ / 2);
    }
    arrays["lifting_target"] = {pose};
  }
  arrays["root_z"] = {root_z};
  return z;
}

std::optional<TargetSketch> SimCC3DLabel::sketch(const EncodeInput& input) const {
  const EncodePoints points = read_points(input, kName);
  const int64_t N = points.instances, K = points.count;
  TargetSketch sketch;
  const Tensor z = depths(input, points, sketch.arrays);
  for (size_t d = 0; d < 3; ++d) {
    sketch.drawings.push_back({kLabels[d], {N, K, axes_[d].bins}, /*is_map=*/false, {}});
    sketch.drawings.back().bells.resize(size_t(N * K));
  }
  Tensor weights = points.visible.clone();
  for (int64_t n = 0; n < N; ++n)
    for (int64_t k = 0; k < K; ++k) {
      if (points.visibility(n, k) < 0.5f) continue;
      const int64_t i = n * K + k;
      const float* p = points.at(n, k);
      const float place[] = {p[0], p[1], z.data<float>()[i]};
      double bin[3];
      bool near = true;
      for (size_t d = 0; d < 3; ++d) {
        bin[d] = std::nearbyint(place[d] * float(split_ratio_));  // halves to even, as there
        near = near && axes_[d].is_near(bin[d]);
      }
      if (!near) weights.data<float>()[i] = 0;
      for (size_t d = 0; near && d < 3; ++d)
        sketch.drawings[d].bells[size_t(i)] = axes_[d].bell(bin[d], normalize_);
    }
  sketch.arrays["keypoint_weights"] = {weights};
  const bool known = sketch.arrays.contains("lifting_target");
  sketch.arrays["weight_z"] = {known ? weights.clone() : Tensor::zeros({N, K})};
  return sketch;
}

TensorLists SimCC3DLabel::encode(const EncodeInput& input) const {
  return drawn_lines(*sketch(input));
}

Decoded SimCC3DLabel::decode(std::span<const Tensor> encoded) const {
  check_count(encoded, 3, 3, kName, "simcc_x, simcc_y and simcc_z");
  std::array<Tensor, 3> signals;
  for (size_t d = 0; d < 3; ++d)
    signals[d] = read_simcc_signals(encoded[d], axes_[d].bins, kName, kSignals[d]);
  Peaks peaks = find_simcc_peaks(signals);
  if (use_dark_)
    for (size_t d = 0; d < 3; ++d)
      refine_simcc_dark(peaks.locations, int(d), signals[d], axes_[d].dark_kernel());
  for (float& v : peaks.locations.span<float>()) v /= float(split_ratio_);
  Decoded decoded;
  decoded.more["keypoints_simcc"] = {peaks.locations.clone()};
  decoded.keypoints = peaks.locations;
  decoded.scores = peaks.values;
  float* p = decoded.keypoints.data<float>();
  for (int64_t i = 2; i < decoded.keypoints.numel(); i += 3)
    p[i] = (p[i] / float(depth_ / 2) - 1) * float(z_range_);
  return decoded;
}

std::map<std::string, std::string> SimCC3DLabel::label_mapping() const {
  std::map<std::string, std::string> same;
  for (const char* name : kLabels) same[name] = name;
  for (const char* name : {"keypoint_weights", "weight_z", "with_z_label"}) same[name] = name;
  return same;
}

}  // namespace limber
