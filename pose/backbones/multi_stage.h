// Multi-stage pose networks: a residual encoder and a decoder that adds its features coarse to
// fine, several in a row, each receiving the features of the one before at every resolution; Li et
// al. 2019 (MSPN), arXiv 1901.00148. The residual steps network (Cai et al. 2020, arXiv 2003.04030)
// has the same skeleton and other blocks.
#pragma once

#include "nn/blocks/conv_module.h"
#include "pose/backbones/backbone.h"
#include "pose/backbones/residual.h"

namespace limber {

struct MultiStageOptions {
  int64_t unit_channels = 256, top_channels = 64;
  int stages = 4, units = 4;
  std::vector<int> blocks{2, 2, 2, 2};  // per unit
  NormOptions norm;
};
MultiStageOptions read_multi_stage(const Config& config);

// Gives stages * units maps, stage by stage, the coarsest first.
class MultiStage : public Backbone {
 public:
  // The stages are children of s / `name`; `expansion` is the blocks' own.
  MultiStage(const Scope& s, const char* name, const MultiStageOptions& o, int expansion,
             const BlockFactory& block);
  Features operator()(const Tensor& image) const override;

 private:
  // What a unit of the decoder makes: its map, and what the next stage wants of it.
  struct UpUnit {
    ConvModule in_skip;
    std::optional<ConvModule> up_conv, out_skip1, out_skip2, cross_conv;
  };
  struct Stage {
    std::vector<ResidualStage> down;
    std::vector<UpUnit> up;
  };
  UpUnit make_up(const Scope& s, const MultiStageOptions& o, int unit, int64_t in, bool last) const;
  ConvModule top_;
  std::vector<Stage> stages_;
};

std::unique_ptr<Backbone> make_mspn(const Config& config, const Scope& scope);

}  // namespace limber
