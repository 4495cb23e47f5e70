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

// Whether the rounded key point is near enough to leave a trace.
bool SimCCLabel::is_near(const float* bin) const {
  if (!gaussian_)
    return bin[0] >= 0 && bin[0] < float(bins_x_) && bin[1] >= 0 && bin[1] < float(bins_y_);
  const double reach_x = 3 * sigma_[0], reach_y = 3 * sigma_[1];
  return bin[0] - reach_x < double(bins_x_) && bin[1] - reach_y < double(bins_y_) &&
         bin[0] + reach_x + 1 >= 0 && bin[1] + reach_y + 1 >= 0;
}

// One axis of a key point: the normal distribution, or a spike on an even floor.
kernels::Bell SimCCLabel::bell(double bin, int64_t bins, double sigma) const {
  if (!gaussian_)
    return {.height = 1 - label_smooth_weight_,
            .base = label_smooth_weight_ > 0 ? float(label_smooth_weight_ / double(bins - 1)) : 0,
            .first = int32_t(bin),
            .count = 1};
  // Beyond 14.5 sigma the value is below the smallest f32.
  const int64_t first = std::max<int64_t>(0, int64_t(std::floor(bin - 14.5 * sigma)));
  const int64_t last = std::min(bins - 1, int64_t(std::ceil(bin + 14.5 * sigma)));
  return {.centre = bin - double(first),
          .factor = -1 / (2 * sigma * sigma),
          .height = normalize_ ? 1 / (sigma * std::sqrt(2 * std::numbers::pi)) : 1,
          .first = int32_t(first),
          .count = int32_t(last - first + 1)};
}

std::optional<TargetSketch> SimCCLabel::sketch(const EncodeInput& input) const {
  const EncodePoints points = read_points(input, "SimCCLabel");
  const int64_t N = points.instances, K = points.count;
  Drawing x{"keypoint_x_labels", {N, K, bins_x_}, /*is_map=*/false, {}};
  Drawing y{"keypoint_y_labels", {N, K, bins_y_}, /*is_map=*/false, {}};
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
      x.bells[i] = bell(bin[0], bins_x_, sigma_[0]);
      y.bells[i] = bell(bin[1], bins_y_, sigma_[1]);
    }
  return TargetSketch{{{"keypoint_weights", {weights}}}, {std::move(x), std::move(y)}};
}

TensorLists SimCCLabel::encode(const EncodeInput& input) const {
  TargetSketch sketch = *this->sketch(input);
  for (const Drawing& d : sketch.drawings) {
    const Tensor lines = Tensor::empty(d.shape);
    kernels::draw_lines(one_thread(), lines.out(), {d.bells.data()}, int64_t(d.bells.size()),
                        d.shape[-1]);
    sketch.arrays[d.name] = {lines};
  }
  return sketch.arrays;
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
