// Residual blocks and stages of them; He et al. 2016, arXiv 1512.03385. What the variants of
// ResNet (ResNeXt, SE, ResNeSt, SCNet) change is the block alone.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "nn/norm_act.h"

namespace limber {

struct BlockOptions {
  int64_t in = 0, out = 0;
  int expansion = 4;  // out / width of the middle convolution
  int stride = 1, dilation = 1;
  bool stride_first = false;  // style="caffe": the stride stands in the first 1 x 1
  bool avg_down = false;
  bool downsample = false;  // the shortcut has a convolution
  NormOptions norm;
};

struct ResidualBlock {
  virtual ~ResidualBlock() = default;
  virtual Tensor operator()(const Tensor& x) const = 0;
};

using BlockFactory =
    std::function<std::unique_ptr<ResidualBlock>(const Scope&, const BlockOptions&)>;

// The shortcut: nothing, or a 1 x 1 convolution (behind an average pool where avg_down is set) and
// a norm, named downsample.0, downsample.1 (.1, .2 behind a pool).
struct Shortcut {
  std::optional<PoolGeometry> pool;
  std::optional<Conv2d> conv;
  Norm norm;
  Shortcut(const Scope& block, const BlockOptions& o);
  Tensor operator()(const Tensor& x) const;
};

std::unique_ptr<ResidualBlock> basic_block(const Scope& s, const BlockOptions& o);
std::unique_ptr<ResidualBlock> bottleneck(const Scope& s, const BlockOptions& o);

// A chain of blocks; the first takes the stride and, where widths or stride differ, a shortcut
// convolution.
struct ResidualStage {
  std::vector<std::unique_ptr<ResidualBlock>> blocks;
  ResidualStage(const Scope& s, int count, BlockOptions first, const BlockFactory& make);
  Tensor operator()(Tensor x) const;
};

}  // namespace limber
