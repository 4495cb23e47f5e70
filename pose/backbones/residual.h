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
  int expansion = 4;           // out / width of the middle convolution
  int64_t middle = 0;          // that width where it is another (ResNeXt)
  int groups = 1, kernel = 3;  // of a bottleneck's middle convolution
  int stride = 1, dilation = 1;
  bool stride_first = false;  // style="caffe": the stride stands in the first 1 x 1
  bool avg_down = false;
  bool downsample = false;      // the shortcut has a convolution
  bool named_shortcut = false;  // downsample.conv and .bn rather than .0 and .1
  int stage = 0, index = 0;     // where the block stands: in which stage, and in this stage
  NormOptions norm;
  int64_t width() const { return middle > 0 ? middle : out / expansion; }
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

// s.bn1, s.bn2, ... (gn1, ... for other norms).
Scope norm_scope(const Scope& s, const BlockOptions& o, int index);
// 3 x 3 with padding = dilation, without bias.
ConvOptions conv3x3(int64_t in, int64_t out, int stride, int dilation);

std::unique_ptr<ResidualBlock> basic_block(const Scope& s, const BlockOptions& o);
std::unique_ptr<ResidualBlock> bottleneck(const Scope& s, const BlockOptions& o);
// A bottleneck with something between its last norm and the sum: attention.
using BlockGate = std::function<Tensor(const Tensor&)>;
std::unique_ptr<ResidualBlock> gated_bottleneck(const Scope& s, const BlockOptions& o,
                                                BlockGate gate);

// A chain of blocks; the first takes the stride and, where widths or stride differ, a shortcut
// convolution. With `change_last` the last one does so instead.
struct ResidualStage {
  std::vector<std::unique_ptr<ResidualBlock>> blocks;
  ResidualStage(const Scope& s, int count, BlockOptions options, const BlockFactory& make,
                bool change_last = false);
  Tensor operator()(Tensor x) const;
};

}  // namespace limber
