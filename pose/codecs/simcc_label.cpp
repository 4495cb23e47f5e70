#include "pose/codecs/simcc_label.h"

#include <algorithm>
#include <cmath>

namespace limber {
namespace {

constexpr char kName[] = "SimCCLabel";

Tensor times(const Tensor& t, double factor) {
  Tensor out = t.clone();
  for (float& v : out.span<float>()) v *= float(factor);
  return out;
}

}  // namespace

SimCCLabel::SimCCLabel(const Config& config)
    : split_ratio_(config.get("simcc_split_ratio", 2.0)),
      normalize_(config.get("normalize", true)),
      label_smooth_weight_(config.get("label_smooth_weight", 0.0)),
      use_dark_(config.get("use_dark", false)),
      decode_visibility_(config.get("decode_visibility", false)),
      decode_beta_(config.get("decode_beta", 150.0)) {
  const Size input = read_size(config, "input_size");
  check_input(split_ratio_ > 0, config.path(), ".simcc_split_ratio: must be positive, not ",
              split_ratio_);
  x_.bins = std::llrint(double(input.width) * split_ratio_);
  y_.bins = std::llrint(double(input.height) * split_ratio_);
  if (config.find("sigma").is_list()) {
    const auto pair = config.get<std::vector<double>>("sigma");
    check_input(pair.size() == 2, config.path(), ".sigma: one number or two, not ", pair.size());
    x_.sigma = pair[0], y_.sigma = pair[1];
  } else {
    x_.sigma = y_.sigma = config.get("sigma", 6.0);
  }
  const auto type = config.get<std::string>("smoothing_type", "gaussian");
  check_choice(config, "smoothing_type", type, {"gaussian", "standard"});
  gaussian_ = type == "gaussian";
  check_input(!gaussian_ || label_smooth_weight_ == 0, config.path(),
              ".label_smooth_weight: only with smoothing_type \"standard\"");
  check_input(label_smooth_weight_ >= 0 && label_smooth_weight_ <= 1, config.path(),
              ".label_smooth_weight: must be from 0 to 1, not ", label_smooth_weight_);
  check_input(!use_dark_ || std::min(x_.dark_kernel(), y_.dark_kernel()) > 0, config.path(),
              ".use_dark: sigma is too small to blur with");
}

// Whether the rounded key point is near enough to leave a trace.
bool SimCCLabel::is_near(const float* bin) const {
  if (gaussian_) return x_.is_near(bin[0]) && y_.is_near(bin[1]);
  return bin[0] >= 0 && bin[0] < float(x_.bins) && bin[1] >= 0 && bin[1] < float(y_.bins);
}

// One axis of a key point: the normal distribution, or a spike on an even floor.
kernels::Bell SimCCLabel::bell(double bin, const SimccAxis& axis) const {
  if (gaussian_) return axis.bell(bin, normalize_);
  return {
      .height = 1 - label_smooth_weight_,
      .base = label_smooth_weight_ > 0 ? float(label_smooth_weight_ / double(axis.bins - 1)) : 0,
      .first = int32_t(bin),
      .count = 1};
}

std::optional<TargetSketch> SimCCLabel::sketch(const EncodeInput& input) const {
  const EncodePoints points = read_points(input, kName);
  const int64_t N = points.instances, K = points.count;
  Drawing x{"keypoint_x_labels", {N, K, x_.bins}, /*is_map=*/false, {}};
  Drawing y{"keypoint_y_labels", {N, K, y_.bins}, /*is_map=*/false, {}};
  x.bells.resize(size_t(N * K));
  y.bells.resize(size_t(N * K));
  Tensor weights = points.visible.clone();
  for (int64_t n = 0; n < N; ++n)
    for (int64_t k = 0; k < K; ++k) {
      if (points.visibility(n, k) < 0.5f) continue;
      const float* p = points.at(n, k);
      const auto i = size_t(n * K + k);
      // Halves round to even, as in the reference.
      const float bin[2] = {std::nearbyint(p[0] * float(split_ratio_)),
                            std::nearbyint(p[1] * float(split_ratio_))};
      if (!is_near(bin)) {
        weights.data<float>()[i] = 0;
        continue;
      }
      x.bells[i] = bell(bin[0], x_);
      y.bells[i] = bell(bin[1], y_);
    }
  return TargetSketch{{{"keypoint_weights", {weights}}}, {std::move(x), std::move(y)}};
}

TensorLists SimCCLabel::encode(const EncodeInput& input) const {
  return drawn_lines(*sketch(input));
}

Decoded SimCCLabel::decode(std::span<const Tensor> encoded) const {
  check_count(encoded, 2, 2, kName, "simcc_x and simcc_y");
  const Tensor signals[] = {read_simcc_signals(encoded[0], x_.bins, kName, "simcc_x"),
                            read_simcc_signals(encoded[1], y_.bins, kName, "simcc_y")};
  const Peaks peaks = find_simcc_peaks(signals);
  if (use_dark_) {
    refine_simcc_dark(peaks.locations, 0, signals[0], x_.dark_kernel());
    refine_simcc_dark(peaks.locations, 1, signals[1], y_.dark_kernel());
  }
  scale_points(peaks.locations, 1 / split_ratio_, 1 / split_ratio_);
  Decoded decoded;
  decoded.keypoints = peaks.locations;
  decoded.scores = peaks.values;
  if (decode_visibility_) {
    const Tensor sharp[] = {times(signals[0], decode_beta_ * x_.sigma),
                            times(signals[1], decode_beta_ * y_.sigma)};
    decoded.visible = find_simcc_peaks(sharp, true).values;
  }
  return decoded;
}

std::map<std::string, std::string> SimCCLabel::label_mapping() const {
  return {{"keypoint_x_labels", "keypoint_x_labels"},
          {"keypoint_y_labels", "keypoint_y_labels"},
          {"keypoint_weights", "keypoint_weights"}};
}

}  // namespace limber
