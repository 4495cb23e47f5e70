#include "pose/codecs/integral_regression_label.h"

namespace limber {

IntegralRegressionLabel::IntegralRegressionLabel(const Config& config)
    : maps_(config), coordinates_(config), normalize_(config.get("normalize", true)) {}

TensorLists IntegralRegressionLabel::encode(const EncodeInput& input) const {
  TensorLists encoded = coordinates_.encode(input);
  const Tensor maps = maps_.encode(input).at("heatmaps")[0];
  encoded["heatmaps"] = {maps};
  if (!normalize_) return encoded;
  const int64_t area = maps.size(1) * maps.size(2);
  for (int64_t k = 0; k < maps.size(0); ++k) {
    float* map = maps.data<float>() + k * area;
    double sum = 1e-24;
    for (int64_t i = 0; i < area; ++i) sum += map[i];
    for (int64_t i = 0; i < area; ++i) map[i] = float(map[i] / sum);
  }
  return encoded;
}

Decoded IntegralRegressionLabel::decode(std::span<const Tensor> encoded) const {
  return coordinates_.decode(encoded);
}

std::map<std::string, std::string> IntegralRegressionLabel::label_mapping() const {
  return coordinates_.label_mapping();
}

std::map<std::string, std::string> IntegralRegressionLabel::field_mapping() const {
  return maps_.field_mapping();
}

}  // namespace limber
