// IntegralRegressionHead: the expectation of a softmax over each heatmap; Sun et al. 2018, arXiv
// 1711.08229, with the bias correction of Gu et al. 2021.
#pragma once

#include <optional>

#include "pose/heads/heatmap_head.h"

namespace limber {

class IntegralRegressionHead : public Head {
 public:
  IntegralRegressionHead(const Config& c, const Scope& s, std::unique_ptr<Loss> loss);
  Outputs forward(const Features& features) const override;
  Losses loss(const Features& features, ConstBatch samples) const override;
  std::vector<Prediction> predict(const Features& features, const Features* flipped,
                                  ConstBatch samples, const TestOptions& test) const override;
  const Codec* codec() const override { return codec_.get(); }

 protected:
  struct Estimate {
    Tensor coords, maps;  // (N, K, 2) in [0, 1); (N, K, H, W), each map sums to 1
  };
  Estimate estimate(const Features& features) const;
  std::unique_ptr<Loss> loss_;

 private:
  std::optional<HeatmapLayers> layers_;
  std::optional<Conv2d> final_;
  std::unique_ptr<Codec> codec_;
  bool debias_;
  double beta_;
  int64_t width_, height_;  // of the heatmaps
  Tensor grid_;             // (H W, 2): x / W, y / H of each pixel
};

std::unique_ptr<Head> make_integral_head(const Config& config, const Scope& scope);

}  // namespace limber
