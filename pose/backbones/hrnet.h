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
// Reads extra.stageN; the keys are shared by the networks built on this skeleton.
HRStageOptions read_hr_stage(const Config& stage);

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

// From the branches of one stage to those of the next: other widths, and one branch more.
class HRTransition {
 public:
  HRTransition(const Scope& s, const std::vector<int64_t>& before,
               const std::vector<int64_t>& after, const NormOptions& norm);
  Features operator()(const Features& maps) const;

 private:
  std::vector<std::vector<ConvNorm>> paths_;  // per branch of the next stage; empty: handed on
};

// Cross-resolution sums, ReLU behind: every branch receives all others.
class HRFusion {
 public:
  HRFusion(const Scope& s, const std::vector<int64_t>& channels, size_t outputs,
           const NormOptions& norm, const Upsampling& up);
  Features operator()(const Features& maps) const;

 private:
  std::vector<std::vector<std::vector<ConvNorm>>> paths_;  // [to][from]
  Upsampling up_;
};

struct HRModule {
  std::vector<ResidualStage> branches;
  std::optional<HRFusion> fusion;
  HRModule(const Scope& s, const HRStageOptions& o, std::vector<int64_t> in, size_t outputs,
           const NormOptions& norm, const Upsampling& up);
  Features operator()(Features maps) const;
};

std::unique_ptr<Backbone> make_hrnet(const Config& config, const Scope& scope);

}  // namespace limber
