#include "pose/backbones/rsn.h"

#include "pose/backbones/multi_stage.h"
#include "tensor/ops.h"

namespace limber {
namespace {

struct StepOptions {
  int steps = 4;
  int64_t expand = 26, top_channels = 64;  // a branch has in * expand / top_channels channels
};

// Channels in as many branches as there are steps; branch i is i + 1 convolutions long, and each
// but its last also receives what the branch before has there. Figure 3 (a) of the paper.
class StepsBlock : public ResidualBlock {
 public:
  StepsBlock(const Scope& s, const BlockOptions& o, const StepOptions& steps)
      : width_(o.in * steps.expand / steps.top_channels), shortcut_(s, o) {
    const ActOptions act{ActType::relu};
    const int64_t all = width_ * steps.steps;
    first_ =
        ConvModule(s / "conv_bn_relu1", ConvOptions::square(o.in, all, 1, o.stride), o.norm, act);
    for (int i = 0; i < steps.steps; ++i) {
      std::vector<ConvModule> branch;
      for (int j = 0; j <= i; ++j)
        branch.emplace_back(
            s / ("conv_bn_relu2_" + std::to_string(i + 1) + "_" + std::to_string(j + 1)),
            ConvOptions::square(width_, width_, 3), o.norm, act);
      branches_.push_back(std::move(branch));
    }
    last_ = ConvModule(s / "conv_bn3", ConvOptions::square(all, o.out, 1), o.norm, {ActType::none});
  }

  Tensor operator()(const Tensor& x) const override {
    const std::vector<int64_t> widths(branches_.size(), width_);
    const std::vector<Tensor> parts = split(first_(x), widths, -1);
    std::vector<Tensor> before, ends;  // results of the branch before, ends of all
    for (size_t i = 0; i < branches_.size(); ++i) {
      std::vector<Tensor> results;
      Tensor y = parts[i];
      for (size_t j = 0; j <= i; ++j) {
        if (j < i) y = y + before[j];
        y = branches_[i][j](y);
        results.push_back(y);
      }
      ends.push_back(y);
      before = std::move(results);
    }
    return relu(last_(concat(ends, -1)) + shortcut_(x));
  }

 private:
  int64_t width_;
  ConvModule first_, last_;
  std::vector<std::vector<ConvModule>> branches_;
  Shortcut shortcut_;
};

}  // namespace

std::unique_ptr<Backbone> make_rsn(const Config& config, const Scope& scope) {
  const MultiStageOptions o = read_multi_stage(config);
  const StepOptions steps{.steps = config.get("num_steps", 4),
                          .expand = config.get<int64_t>("expand_times", 26),
                          .top_channels = o.top_channels};
  check_input(steps.steps > 1, config.path(), ".num_steps: ", steps.steps, ", at least 2");
  return std::make_unique<MultiStage>(scope, "multi_stage_rsn", o, 1,
                                      [steps](const Scope& s, const BlockOptions& b) {
                                        return std::make_unique<StepsBlock>(s, b, steps);
                                      });
}

}  // namespace limber
