// ResNeXt: bottlenecks with grouped middle convolutions; Xie et al. 2017, arXiv 1611.05431.
#pragma once

#include "pose/backbones/resnet.h"

namespace limber {

// The groups of a family member and the width of a group where base_channels leave the stem.
struct GroupOptions {
  int groups = 1, width_per_group = 4;
  int64_t base_channels = 64;
  // The options of a block with its middle convolution grouped so.
  BlockOptions apply(BlockOptions o) const;
};
GroupOptions read_groups(const Config& config, int default_groups);

std::unique_ptr<Backbone> make_resnext(const Config& config, const Scope& scope);

}  // namespace limber
