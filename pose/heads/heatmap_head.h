// Heatmap regression: upsampling by transposed convolutions, optional convolutions, one map per
// key point; Xiao et al. 2018, arXiv 1804.06208.
#pragma once

#include <optional>

#include "nn/norm_act.h"
#include "pose/heads/head.h"
#include "pose/losses/loss.h"

namespace limber {

// The layers alone, shared by the heads that begin with heatmaps. Parameters: deconv_layers.N,
// conv_layers.N, final_layer.
class HeatmapLayers {
 public:
  // Reads in_channels, out_channels, deconv_*, conv_*, final_layer of a head's config.
  HeatmapLayers(const Config& c, const Scope& s);
  // The same with `out_channels` under another key (num_joints) or given.
  HeatmapLayers(const Config& c, const Scope& s, int64_t out_channels);
  Tensor operator()(const Tensor& x) const;  // (N, H, W, C) -> (N, H', W', K)

 private:
  struct Deconv {
    ConvTranspose2d conv;
    BatchNorm norm;
  };
  struct Conv {
    Conv2d conv;
    BatchNorm norm;
  };
  std::vector<Deconv> deconvs_;
  std::vector<Conv> convs_;
  std::optional<Conv2d> final_;
};

class HeatmapHead : public Head {
 public:
  HeatmapHead(const Config& c, const Scope& s);
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

// (N, H, W, K) -> (N, K, H, W).
Tensor maps_first(const Tensor& channels_last);

// The head's loss and decoder: config["loss"] or the default type, config["decoder"] or none.
std::unique_ptr<Loss> read_loss(const Config& head, const Scope& s, std::string_view default_loss);
std::unique_ptr<Codec> read_decoder(const Config& head);

std::unique_ptr<Head> make_heatmap_head(const Config& config, const Scope& scope);

}  // namespace limber
