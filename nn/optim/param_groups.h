// Which parameter gets which learning rate and weight decay: MMEngine's paramwise_cfg, MMPose's
// forced variant of it, and layer-wise decay for vision transformers.
//
// Frozen parameters and names that share another's tensor are left out: they would not move, or
// move twice.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nn/optim/optimizer.h"

namespace limber {

struct ParamwiseOptions {
  // A parameter whose full name contains `key`. The longest key that fits wins, the first in
  // alphabetical order among equally long ones.
  struct Custom {
    std::string key;
    double lr_mult = 1, decay_mult = 1;
    std::optional<double> lr, weight_decay;  // set outright, after the multipliers
  };
  std::optional<double> bias_lr_mult;     // biases but those of norms and of deformable convs
  std::optional<double> bias_decay_mult;  // biases but those of norms
  std::optional<double> norm_decay_mult;  // weights and biases of norms
  std::optional<double> dwconv_decay_mult;
  std::optional<double> flat_decay_mult;  // all others with one dimension
  std::optional<double> dcn_offset_lr_mult;
  std::vector<Custom> custom_keys{};
  // Where a custom key fits, the rules above are ignored unless this says otherwise (MMPose).
  bool force_default_settings = false;
};

// ViT: layer 0 is the embeddings, "backbone.layers.i" is i + 1, everything else num_layers + 1;
// lr *= rate^(num_layers + 1 - layer). Biases, one-dimensional parameters and pos_embed have no
// weight decay.
struct LayerDecayOptions {
  int num_layers = 12;
  double rate = 0.5;
};

std::vector<ParamGroup> one_group(ParameterStore& store, const OptimizerOptions& optimizer);
// One group per parameter.
std::vector<ParamGroup> paramwise_groups(ParameterStore& store, const OptimizerOptions& optimizer,
                                         const ParamwiseOptions& options);
std::vector<ParamGroup> layer_decay_groups(ParameterStore& store, const OptimizerOptions& optimizer,
                                           const LayerDecayOptions& options);

}  // namespace limber
