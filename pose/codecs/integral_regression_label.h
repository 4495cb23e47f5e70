// Coordinates together with the heat maps whose expectation they are (DSNT, integral regression).
#pragma once

#include "pose/codecs/msra_heatmap.h"
#include "pose/codecs/regression_label.h"

namespace limber {

// Sun et al. 2018, arXiv 1711.08229; Nibali et al. 2018, arXiv 1801.07372.
class IntegralRegressionLabel : public Codec {
 public:
  explicit IntegralRegressionLabel(const Config& config);
  // keypoint_labels (1, K, 2), keypoint_weights (1, K), heatmaps (K, H, W) that sum to 1 each
  // unless `normalize` is off.
  TensorLists encode(const EncodeInput& input) const override;
  // As RegressionLabel.
  Decoded decode(std::span<const Tensor> encoded) const override;
  std::map<std::string, std::string> label_mapping() const override;
  std::map<std::string, std::string> field_mapping() const override;

 private:
  MSRAHeatmap maps_;
  RegressionLabel coordinates_;
  bool normalize_;
};

}  // namespace limber
