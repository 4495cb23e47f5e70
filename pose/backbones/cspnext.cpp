#include "pose/backbones/cspnext.h"

#include <algorithm>
#include <cmath>

#include "nn/blocks/csp.h"
#include "pose/backbones/stage_options.h"
#include "pose/core/layer_config.h"

namespace limber {
namespace {

// One row of the architecture table: widths and depth at factor 1.
struct Stage {
  int64_t in, out;
  int blocks;
  bool add_identity, pyramid_pooling;
};

// `middle`: blocks of the middle stages.
std::vector<Stage> stages_of(const Config& c, int middle) {
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
            {128, 256, middle, true, false},
            {256, 512, middle, true, false},
            {512, 1024, 3, false, true}};
  if (arch == "P6")
    return {{64, 128, 3, true, false},
            {128, 256, middle, true, false},
            {256, 512, middle, true, false},
            {512, 768, 3, true, false},
            {768, 1024, 3, false, true}};
  fail_input(c.path(), ".arch: unknown \"", arch, "\"", did_you_mean(arch, {"P5", "P6"}));
}

// What the two architectures differ in.
struct Variant {
  CspBlock block;
  int middle_blocks;
  const char* kernels_key;  // MMPose spells it in two ways
};
constexpr Variant kNext{CspBlock::cspnext, 6, "spp_kernel_sizes"};
constexpr Variant kDarknet{CspBlock::darknet, 9, "spp_kernal_sizes"};

class CspBackbone : public Backbone {
 public:
  CspBackbone(const Config& c, const Scope& s, const Variant& variant);
  Features operator()(const Tensor& image) const override;

 private:
  struct Level {
    MaybeSeparable down;
    std::optional<SppBottleneck> pyramid;
    CspLayer csp;
  };
  void make_stem(const Scope& s, double width, const NormOptions& norm, const ActOptions& act);
  bool focus_;
  std::vector<ConvModule> stem_;
  std::vector<Level> levels_;
  std::vector<int> out_indices_;
};

// Focus: the pixels of 2 x 2 blocks side by side, columns before rows, and one convolution.
Tensor focus(const Tensor& x) {
  const int64_t H = x.size(1), W = x.size(2);
  std::vector<Tensor> parts;
  for (int64_t w = 0; w < 2; ++w)
    for (int64_t h = 0; h < 2; ++h) parts.push_back(slice(slice(x, 1, h, H, 2), 2, w, W, 2));
  return concat(parts, -1);
}

void CspBackbone::make_stem(const Scope& s, double width, const NormOptions& norm,
                            const ActOptions& act) {
  const int64_t full = int64_t(width), half = int64_t(std::floor(width / 2));
  if (focus_) {
    stem_.emplace_back(s / "conv", ConvOptions::square(12, full, 3), norm, act);
    return;
  }
  stem_.emplace_back(s / 0, ConvOptions::square(3, half, 3, 2), norm, act);
  stem_.emplace_back(s / 1, ConvOptions::square(half, half, 3), norm, act);
  stem_.emplace_back(s / 2, ConvOptions::square(half, full, 3), norm, act);
}

CspBackbone::CspBackbone(const Config& c, const Scope& s, const Variant& variant)
    : focus_(variant.block == CspBlock::darknet),
      out_indices_(c.get<std::vector<int>>("out_indices", {2, 3, 4})) {
  const double deepen = c.get("deepen_factor", 1.0), widen = c.get("widen_factor", 1.0);
  const NormOptions norm =
      read_norm(c, "norm_cfg", {.type = NormType::batch, .momentum = 0.03, .eps = 1e-3});
  const ActOptions act = read_act(c, "act_cfg", {ActType::silu});
  const bool depthwise = c.get("use_depthwise", false);
  const auto kernels = c.get<std::vector<int>>(variant.kernels_key, {5, 9, 13});
  const double expand_ratio = focus_ ? 0.5 : c.get("expand_ratio", 0.5);
  const bool attention = !focus_ && c.get("channel_attention", true);
  const std::vector<Stage> stages = stages_of(c, variant.middle_blocks);
  c.find("conv_cfg");
  const auto width = [&](int64_t channels) { return int64_t(double(channels) * widen); };
  make_stem(s / "stem", double(stages[0].in) * widen, norm, act);
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
                         .expand_ratio = expand_ratio,
                         .add_identity = stage.add_identity,
                         .use_depthwise = depthwise,
                         .block = variant.block,
                         .channel_attention = attention,
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
    hold(child);
  }
  if (c.get("norm_eval", false)) s.store().keep_eval_layers(s.path(), "BatchNorm");
}

Features CspBackbone::operator()(const Tensor& image) const {
  Tensor x = focus_ ? focus(image) : image;
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
  return std::make_unique<CspBackbone>(config, scope, kNext);
}

std::unique_ptr<Backbone> make_csp_darknet(const Config& config, const Scope& scope) {
  return std::make_unique<CspBackbone>(config, scope, kDarknet);
}

}  // namespace limber
