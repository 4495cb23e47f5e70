// The encoder of Deformable DETR: tokens of all feature maps attend to a few points of all maps;
// Zhu et al. 2021, arXiv 2010.04159.
#pragma once

#include "nn/blocks/transformer.h"
#include "pose/heads/edpose_maps.h"

namespace limber {

// A layer_cfg of encoder or decoder.
struct EDPoseLayerOptions {
  int64_t channels = 256, hidden = 1024;
  int self_heads = 8;                     // of the decoder's attention between queries
  double self_drop = 0;                   // of its probabilities
  DeformableAttentionOptions deformable;  // of the attention to the maps
  ActOptions act{ActType::relu};
  double ffn_drop = 0;
};
// `attention` names the node of the deformable attention. Throws InputError where widths differ.
EDPoseLayerOptions read_edpose_layer(const Config& layer_cfg, const char* attention);

// Parameters: layers.I.{self_attn, ffn, norms.0, norms.1}.
class DeformableEncoder {
 public:
  DeformableEncoder() = default;
  DeformableEncoder(const Scope& s, int layers, const EDPoseLayerOptions& o);
  // tokens, positions: (N, S, C) -> (N, S, C)
  Tensor operator()(Tensor tokens, const Tensor& positions, const TokenMaps& maps) const;

 private:
  struct Layer {
    DeformableAttention attention;
    FeedForward ffn;
    LayerNorm norms[2];
  };
  std::vector<Layer> layers_;
};

}  // namespace limber
