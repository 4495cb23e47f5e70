#include "pose/backbones/cspnext.h"

#include <algorithm>
#include <cmath>

#include "nn/blocks/csp.h"
#include "pose/core/layer_config.h"

namespace limber {
namespace {

// One row of the architecture table: widths and depth at factor 1.
struct Stage {
  int64_t in, out;
  int blocks;
  bool add_identity, pyramid_pooling;
};

std::vector<Stage> stages_of(const Config& c) {
  const auto arch = c.get<std::string>("arch", "P5");
  const Config own = c.find("arch_ovewrite");  // MMPose's spelling
  if (own.is_list()) {
    std::vector<Stage> stages;
    for (size_t i = 0; i < own.size(); ++i) {
      const Config row = own.at(i);
      stages.push_back({row.at(0).as<int64_t>(), row.at(1).as<int64_t>(), row.at(2).as<int>(),
                        row.at(3).as<bool>(), row.at(4).as<bool>()});
    }
    return stages;
  }
  if (arch == "P5")
    return {{64, 128, 3, true, false},
            {128, 256, 6, true, false},
            {256, 512, 6, true, false},
            {512, 1024, 3, false, true}};
  if (arch == "P6")
    return {{64, 128, 3, true, false},
            {128, 256, 6, true, false},
            {256, 512, 6, true, false},
            {512, 768, 3, true, false},
            {768, 1024, 3, false, true}};
  fail_input(c.path(), ".arch: unknown \"", arch, "\"", did_you_mean(arch, {"P5", "P6"}));
}

class CspNext : public Backbone {
 public:
  CspNext(const Config& c, const Scope& s);
  Features operator()(const Tensor& image) const override;

 private:
  struct Level {
    MaybeSeparable down;
    std::optional<SppBottleneck> pyramid;
    CspLayer csp;
  };
  std::vector<ConvModule> stem_;
  std::vector<Level> levels_;
  std::vector<int> out_indices_;
};

CspNext::CspNext(const Config& c, const Scope& s)
    : out_indices_(c.get<std::vector<int>>("out_indices", {2, 3, 4})) {
  const double deepen = c.get("deepen_factor", 1.0), widen = c.get("widen_factor", 1.0);
  const NormOptions norm =
      read_norm(c, "norm_cfg", {.type = NormType::batch, .momentum = 0.03, .eps = 1e-3});
  const ActOptions act = read_act(c, "act_cfg", {ActType::silu});
  const bool depthwise = c.get("use_depthwise", false);
  const auto kernels = c.get<std::vector<int>>("spp_kernel_sizes", {5, 9, 13});
  const std::vector<Stage> stages = stages_of(c);
  c.find("conv_cfg");
  const auto width = [&](int64_t channels) { return int64_t(double(channels) * widen); };
  const int64_t full = width(stages[0].in),
                half = int64_t(std::floor(double(stages[0].in) * widen / 2));
  stem_.emplace_back(s / "stem" / 0, ConvOptions::square(3, half, 3, 2), norm, act);
  stem_.emplace_back(s / "stem" / 1, ConvOptions::square(half, half, 3), norm, act);
  stem_.emplace_back(s / "stem" / 2, ConvOptions::square(half, full, 3), norm, act);
  for (size_t i = 0; i < stages.size(); ++i) {
    const Stage& stage = stages[i];
    const Scope level = s / ("stage" + std::to_string(i + 1));
    const int64_t out = width(stage.out);
    int child = 0;
    MaybeSeparable down(level / child++, ConvOptions::square(width(stage.in), out, 3, 2), depthwise,
                        norm, act);
    std::optional<SppBottleneck> pyramid;
    if (stage.pyramid_pooling) pyramid.emplace(level / child++, out, out, kernels, norm, act);
    const CspOptions csp{.in = out,
                         .out = out,
                         .num_blocks = std::max(int(std::nearbyint(stage.blocks * deepen)), 1),
                         .expand_ratio = c.get("expand_ratio", 0.5),
                         .add_identity = stage.add_identity,
                         .use_depthwise = depthwise,
                         .block = CspBlock::cspnext,
                         .channel_attention = c.get("channel_attention", true),
                         .norm = norm,
                         .act = act};
    levels_.push_back({std::move(down), std::move(pyramid), CspLayer(level / child, csp)});
  }
  for (int index : out_indices_)
    check_input(index >= 0 && index <= int(levels_.size()), c.path(), ".out_indices: no stage ",
                index);
  const int frozen = c.get("frozen_stages", -1);
  for (int i = 0; i <= frozen; ++i) {
    const Scope child = s / (i == 0 ? "stem" : "stage" + std::to_string(i));
    child.freeze();
    child.keep_eval();
  }
  if (c.get("norm_eval", false)) s.store().keep_eval_layers(s.path(), "BatchNorm");
}

Features CspNext::operator()(const Tensor& image) const {
  Tensor x = image;
  for (const ConvModule& layer : stem_) x = layer(x);
  Features out;
  const auto keep = [&](int index) {
    if (std::ranges::find(out_indices_, index) != out_indices_.end()) out.push_back(x);
  };
  keep(0);
  for (size_t i = 0; i < levels_.size(); ++i) {
    const Level& level = levels_[i];
    x = level.down(x);
    if (level.pyramid) x = (*level.pyramid)(x);
    x = level.csp(x);
    keep(int(i) + 1);
  }
  return out;
}

}  // namespace

std::unique_ptr<Backbone> make_cspnext(const Config& config, const Scope& scope) {
  return std::make_unique<CspNext>(config, scope);
}

}  // namespace limber
