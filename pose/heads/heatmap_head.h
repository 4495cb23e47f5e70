// Heatmap regression: upsampling by transposed convolutions, optional convolutions, one map per
// key point; Xiao et al. 2018, arXiv 1804.06208. ViPNASHead is the same with grouped transposed
// convolutions; Xu et al. 2021, arXiv 2105.10154.
#pragma once

#include "pose/heads/head.h"
#include "pose/heads/heatmap_layers.h"
#include "pose/losses/loss.h"

namespace limber {

class HeatmapHead : public Head {
 public:
  HeatmapHead(const Config& c, const Scope& s, DeconvKind kind);
  Outputs forward(const Features& features) const override;
  Losses loss(const Features& features, ConstBatch samples) const override;
  std::vector<Prediction> predict(const Features& features, const Features* flipped,
                                  ConstBatch samples, const TestOptions& test) const override;
  const Codec* codec() const override { return codec_.get(); }

 private:
  Tensor maps(const Features& features) const;
  HeatmapLayers layers_;
  std::unique_ptr<Loss> loss_;
  std::unique_ptr<Codec> codec_;
};

// The head's loss and decoder: config["loss"] or the default type, config["decoder"] or none.
std::unique_ptr<Loss> read_loss(const Config& head, const Scope& s, std::string_view default_loss);
std::unique_ptr<Codec> read_decoder(const Config& head);

// The losses of a head with `count` outputs: a list of as many, or one for all of them.
class StageLosses {
 public:
  StageLosses(const Config& head, const Scope& s, size_t count);
  const Loss& operator[](size_t i) const { return *losses_[losses_.size() == 1 ? 0 : i]; }

 private:
  std::vector<std::unique_ptr<Loss>> losses_;
};

// Averages maps (N, K, H, W) with those of the flipped images (undefined: none), and decodes.
std::vector<Prediction> predict_heatmaps(const Codec* codec, const Tensor& maps,
                                         const Tensor& maps_of_flipped, ConstBatch samples,
                                         const TestOptions& test);

// acc_pose as a scalar: pose_pck_accuracy of maps.
Tensor heatmap_accuracy(const Tensor& maps, const Tensor& target, const Tensor& weight);

std::unique_ptr<Head> make_heatmap_head(const Config& config, const Scope& scope);
std::unique_ptr<Head> make_vipnas_head(const Config& config, const Scope& scope);

}  // namespace limber
