#include "pose/backbones/multi_stage.h"

#include "pose/core/layer_config.h"
#include "tensor/ops.h"

namespace limber {
namespace {

constexpr ActOptions kRelu{ActType::relu}, kNone{ActType::none};

}  // namespace

MultiStageOptions read_multi_stage(const Config& c) {
  MultiStageOptions o;
  o.unit_channels = c.get("unit_channels", o.unit_channels);
  o.top_channels = c.get("res_top_channels", o.top_channels);
  o.stages = c.get("num_stages", o.stages);
  o.units = c.get("num_units", o.units);
  o.blocks = c.get("num_blocks", o.blocks);
  o.norm = read_norm(c, "norm_cfg", {});
  check_input(o.stages >= 1 && o.units >= 2 && int(o.blocks.size()) == o.units, c.path(),
              ": num_units ", o.units, " needs as many num_blocks, not ", o.blocks.size());
  return o;
}

MultiStage::MultiStage(const Scope& s, const char* name, const MultiStageOptions& o, int expansion,
                       const BlockFactory& block)
    : top_(s / "top" / "top" / 0, ConvOptions::square(3, o.top_channels, 7, 2), o.norm, kRelu) {
  // All but the first block of a unit have plain batch norms, as in the reference.
  const BlockFactory make = [&block](const Scope& child, BlockOptions b) {
    if (b.index > 0) b.norm = {};
    return block(child, b);
  };
  for (int i = 0; i < o.stages; ++i) {
    const Scope down = s / name / i / "downsample", up = s / name / i / "upsample";
    Stage stage;
    BlockOptions b{
        .in = o.top_channels, .expansion = expansion, .named_shortcut = true, .norm = o.norm};
    std::vector<int64_t> widths;
    for (int unit = 0; unit < o.units; ++unit) {
      b.out = (o.top_channels * expansion) << unit;
      b.stride = unit == 0 ? 1 : 2;
      stage.down.emplace_back(down / ("layer" + std::to_string(unit + 1)), o.blocks[size_t(unit)],
                              b, make);
      widths.push_back(b.out);
      b.in = b.out;
    }
    for (int unit = 0; unit < o.units; ++unit)
      stage.up.push_back(make_up(up / ("up" + std::to_string(unit + 1)), o, unit,
                                 widths[size_t(o.units - 1 - unit)], i + 1 == o.stages));
    stages_.push_back(std::move(stage));
  }
  initialise_convolutions(s, init::kaiming());
}

MultiStage::UpUnit MultiStage::make_up(const Scope& s, const MultiStageOptions& o, int unit,
                                       int64_t in, bool last) const {
  const auto pointwise = [&](const char* name, int64_t from, int64_t to, const ActOptions& act) {
    return ConvModule(s / name, ConvOptions::square(from, to, 1), o.norm, act);
  };
  UpUnit up{pointwise("in_skip", in, o.unit_channels, kNone), {}, {}, {}, {}};
  if (unit > 0) up.up_conv = pointwise("up_conv", o.unit_channels, o.unit_channels, kNone);
  if (last) return up;
  up.out_skip1 = pointwise("out_skip1", in, in, kRelu);
  up.out_skip2 = pointwise("out_skip2", o.unit_channels, in, kRelu);
  if (unit == o.units - 1)
    up.cross_conv = pointwise("cross_conv", o.unit_channels, o.top_channels, kRelu);
  return up;
}

Features MultiStage::operator()(const Tensor& image) const {
  Tensor x = max_pool2d(top_(image), {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}});
  Features out;
  std::vector<std::pair<Tensor, Tensor>> skips;  // of the stage before, finest first
  for (const Stage& stage : stages_) {
    const size_t units = stage.down.size();
    std::vector<Tensor> maps;
    for (size_t i = 0; i < units; ++i) {
      x = stage.down[i](x);
      if (!skips.empty()) x = x + skips[i].first + skips[i].second;
      maps.push_back(x);
    }
    skips.assign(units, {});
    for (size_t i = 0; i < units; ++i) {
      const UpUnit& up = stage.up[i];
      const Tensor& map = maps[units - 1 - i];
      Tensor y = up.in_skip(map);
      if (up.up_conv)
        y = y + (*up.up_conv)(resize(out.back(), map.size(1), map.size(2), Interpolation::bilinear,
                                     /*align_corners=*/true));
      out.push_back(relu(y));
      if (up.out_skip1) skips[units - 1 - i] = {(*up.out_skip1)(map), (*up.out_skip2)(out.back())};
      if (up.cross_conv) x = (*up.cross_conv)(out.back());
    }
  }
  return out;
}

std::unique_ptr<Backbone> make_mspn(const Config& config, const Scope& scope) {
  return std::make_unique<MultiStage>(scope, "multi_stage_mspn", read_multi_stage(config), 4,
                                      bottleneck);
}

}  // namespace limber
