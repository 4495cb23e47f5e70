#include "pose/codecs/simcc_label.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "pose/codecs/simcc_ops.h"

namespace limber {
namespace {

// signals (N, K, L), from (K, L) too.
Tensor read_signals(const Tensor& t, int64_t length, const char* axis) {
  check(t.defined(), "SimCCLabel: decode without ", axis);
  const bool single = t.rank() == 2;
  check((t.rank() == 3 || single) && t.size(-1) == length, "SimCCLabel: ", axis, " ", t.shape(),
        ", (N, K, ", length, ") is wanted");
  const Tensor f = t.to(DType::f32);
  return single ? f.alias(f.shape().inserted(0, 1)) : f;
}

Tensor times(const Tensor& t, double factor) {
  Tensor out = t.clone();
  for (float& v : out.span<float>()) v *= float(factor);
  return out;
}

// The odd kernel that DARK along one axis blurs with.
int dark_kernel(double sigma) {
  const int size = int(std::floor((sigma * 20 - 7) / 3));
  return size % 2 == 0 ? size - 1 : size;
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
  bins_x_ = std::llrint(double(input.width) * split_ratio_);
  bins_y_ = std::llrint(double(input.height) * split_ratio_);
  if (config.find("sigma").is_list()) {
    const auto pair = config.get<std::vector<double>>("sigma");
    check_input(pair.size() == 2, config.path(), ".sigma: one number or two, not ", pair.size());
    sigma_ = {pair[0], pair[1]};
  } else {
    const double sigma = config.get("sigma", 6.0);
    sigma_ = {sigma, sigma};
  }
  const auto type = config.get<std::string>("smoothing_type", "gaussian");
  check_choice(config, "smoothing_type", type, {"gaussian", "standard"});
  gaussian_ = type == "gaussian";
  check_input(!gaussian_ || label_smooth_weight_ == 0, config.path(),
              ".label_smooth_weight: only with smoothing_type \"standard\"");
  check_input(label_smooth_weight_ >= 0 && label_smooth_weight_ <= 1, config.path(),
              ".label_smooth_weight: must be from 0 to 1, not ", label_smooth_weight_);
  check_input(!use_dark_ || std::min(dark_kernel(sigma_[0]), dark_kernel(sigma_[1])) > 0,
              config.path(), ".use_dark: sigma is too small to blur with");
}

// bin: the rounded key point. False when it is too far off to leave a trace.
bool SimCCLabel::encode_gaussian(const float* bin, float* x, float* y) const {
  const double reach_x = 3 * sigma_[0], reach_y = 3 * sigma_[1];
  if (bin[0] - reach_x >= double(bins_x_) || bin[1] - reach_y >= double(bins_y_) ||
      bin[0] + reach_x + 1 < 0 || bin[1] + reach_y + 1 < 0)
    return false;
  const auto draw = [&](float* line, int64_t n, double centre, double sigma) {
    const double scale = -1 / (2 * sigma * sigma);
    const double height = normalize_ ? 1 / (sigma * std::sqrt(2 * std::numbers::pi)) : 1;
    // Beyond 14.5 sigma the value is below the smallest f32.
    const int64_t first = std::max<int64_t>(0, int64_t(std::floor(centre - 14.5 * sigma)));
    const int64_t last = std::min(n - 1, int64_t(std::ceil(centre + 14.5 * sigma)));
    for (int64_t i = first; i <= last; ++i) {
      const double d = double(i) - centre;
      line[i] = float(height * std::exp(scale * d * d));
    }
  };
  draw(x, bins_x_, bin[0], sigma_[0]);
  draw(y, bins_y_, bin[1], sigma_[1]);
  return true;
}

bool SimCCLabel::encode_standard(const float* bin, float* x, float* y) const {
  const int64_t bx = int64_t(bin[0]), by = int64_t(bin[1]);
  if (bx < 0 || bx >= bins_x_ || by < 0 || by >= bins_y_) return false;
  if (label_smooth_weight_ > 0) {
    std::fill_n(x, bins_x_, float(label_smooth_weight_ / double(bins_x_ - 1)));
    std::fill_n(y, bins_y_, float(label_smooth_weight_ / double(bins_y_ - 1)));
  }
  x[bx] = y[by] = float(1 - label_smooth_weight_);
  return true;
}

TensorLists SimCCLabel::encode(const EncodeInput& input) const {
  const Points points = read_points(input, "SimCCLabel");
  Tensor x = Tensor::zeros({points.instances, points.count, bins_x_});
  Tensor y = Tensor::zeros({points.instances, points.count, bins_y_});
  Tensor weights = points.visible.clone();
  for (int64_t n = 0; n < points.instances; ++n)
    for (int64_t k = 0; k < points.count; ++k) {
      if (points.visibility(n, k) < 0.5f) continue;
      const float* p = points.at(n, k);
      const int64_t i = n * points.count + k;
      // Halves round to even, as in the reference.
      const float bin[2] = {std::nearbyint(p[0] * float(split_ratio_)),
                            std::nearbyint(p[1] * float(split_ratio_))};
      float *row_x = x.data<float>() + i * bins_x_, *row_y = y.data<float>() + i * bins_y_;
      const bool drawn =
          gaussian_ ? encode_gaussian(bin, row_x, row_y) : encode_standard(bin, row_x, row_y);
      if (!drawn) weights.data<float>()[i] = 0;
    }
  return {{"keypoint_x_labels", {x}}, {"keypoint_y_labels", {y}}, {"keypoint_weights", {weights}}};
}

Decoded SimCCLabel::decode(std::span<const Tensor> encoded) const {
  check_count(encoded, 2, 2, "SimCCLabel", "simcc_x and simcc_y");
  const Tensor x = read_signals(encoded[0], bins_x_, "simcc_x");
  const Tensor y = read_signals(encoded[1], bins_y_, "simcc_y");
  const Peaks peaks = find_simcc_peaks(x, y);
  if (use_dark_) {
    refine_simcc_dark(peaks.locations, 0, x, dark_kernel(sigma_[0]));
    refine_simcc_dark(peaks.locations, 1, y, dark_kernel(sigma_[1]));
  }
  scale_points(peaks.locations, 1 / split_ratio_, 1 / split_ratio_);
  Decoded decoded;
  decoded.keypoints = peaks.locations;
  decoded.scores = peaks.values;
  if (decode_visibility_)
    decoded.visible = find_simcc_peaks(times(x, decode_beta_ * sigma_[0]),
                                       times(y, decode_beta_ * sigma_[1]), true)
                          .values;
  return decoded;
}

std::map<std::string, std::string> SimCCLabel::label_mapping() const {
  return {{"keypoint_x_labels", "keypoint_x_labels"},
          {"keypoint_y_labels", "keypoint_y_labels"},
          {"keypoint_weights", "keypoint_weights"}};
}

}  // namespace limber
