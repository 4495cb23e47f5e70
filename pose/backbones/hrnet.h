// HRNet: branches of decreasing resolution that run side by side and are fused again and again;
// Sun et al. 2019, arXiv 1902.09212.
#pragma once

#include <array>

#include "pose/backbones/backbone.h"
#include "pose/backbones/residual.h"
#include "pose/core/layer_config.h"

namespace limber {

struct HRStageOptions {
  int num_modules = 1;
  bool bottleneck = false;
  std::vector<int> num_blocks;
  std::vector<int64_t> num_channels;  // as configured; times the block's expansion they leave it
  bool multiscale_output = true;      // of the last module
  int expansion() const { return bottleneck ? 4 : 1; }
};

// What a network built on this skeleton has of its own.
struct HRVariant {
  const char* block = nullptr;  // a name that stages 2 to 4 must give theirs
  bool separable = false;       // the fusion's strided convolutions are depthwise and pointwise
  Upsampling up;                // where extra.upsample is absent
  // Makes the blocks of one branch: of stage 2, 3 or 4, the number of the module and of the branch.
  using Blocks = std::function<BlockFactory(int stage, int module, size_t branch)>;
  Blocks blocks;
};

// Convolution and norm under consecutive numbers, with a ReLU where wanted: a torch Sequential.
struct ConvNorm {
  Conv2d conv;
  Norm norm;
  bool relu_after;
  ConvNorm(const Scope& s, const ConvOptions& o, const NormOptions& n, bool with_relu)
      : ConvNorm(Conv2d(s / 0, o), Norm(s / 1, o.out, n), with_relu) {}
  ConvNorm(Conv2d c, Norm n, bool with_relu)
      : conv(std::move(c)), norm(std::move(n)), relu_after(with_relu) {}
  Tensor operator()(const Tensor& x) const {
    const Tensor y = norm(conv(x));
    return relu_after ? relu(y) : y;
  }
};

using HRPath = std::vector<ConvNorm>;
// A depthwise 3 x 3 and a pointwise convolution, numbers 0 to 3 of a torch Sequential.
void add_separable(HRPath& path, const Scope& s, int64_t in, int64_t out, int stride,
                   const NormOptions& norm, bool with_relu);

// From the branches of one stage to those of the next: other widths, and one branch more. Where the
// convolutions are separable (LiteHRNet), branches of other width come from their like, else from
// the coarsest map.
class HRTransition {
 public:
  HRTransition(const Scope& s, const std::vector<int64_t>& before,
               const std::vector<int64_t>& after, const NormOptions& norm, bool separable = false);
  Features operator()(const Features& maps) const;

 private:
  bool separable_;
  std::vector<HRPath> paths_;  // per branch of the next stage; empty: handed on
};

// Cross-resolution sums, ReLU behind: every branch receives all others.
class HRFusion {
 public:
  HRFusion(const Scope& s, const std::vector<int64_t>& channels, size_t outputs,
           const NormOptions& norm, const Upsampling& up, bool separable = false);
  Features operator()(const Features& maps) const;
  size_t outputs() const { return paths_.size(); }
  // The map of one branch, at the size and width of another.
  Tensor carried(size_t from, size_t to, const Tensor& map) const;

 private:
  std::vector<std::vector<HRPath>> paths_;  // [to][from]
  Upsampling up_;
};

struct HRModule {
  std::vector<ResidualStage> branches;
  std::optional<HRFusion> fusion;
  // `blocks`: per branch.
  HRModule(const Scope& s, const HRStageOptions& o, std::vector<int64_t> in, size_t outputs,
           const NormOptions& norm, const Upsampling& up, bool separable,
           const std::vector<BlockFactory>& blocks);
  Features operator()(Features maps) const;
};

std::unique_ptr<Backbone> make_hr_variant(const Config& config, const Scope& scope,
                                          const HRVariant& variant);
std::unique_ptr<Backbone> make_hrnet(const Config& config, const Scope& scope);

}  // namespace limber
