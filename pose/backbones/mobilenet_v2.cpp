#include "pose/backbones/mobilenet_v2.h"

#include <cmath>

#include "nn/blocks/conv_module.h"
#include "pose/backbones/stage_options.h"
#include "pose/core/layer_config.h"

namespace limber {
namespace {

// Table 2 of the paper: expansion, width, blocks, stride of the first.
struct Stage {
  int expansion;
  int64_t width;
  int blocks, stride;
};
constexpr Stage kStages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                             {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};

// Children conv.0 to conv.2; the expanding one is left out where it would expand nothing.
struct Block {
  std::vector<ConvModule> layers;
  bool shortcut;
  Block(const Scope& s, int64_t in, int64_t out, int stride, int expansion, const NormOptions& norm,
        const ActOptions& act)
      : shortcut(stride == 1 && in == out) {
    const int64_t middle = in * expansion;
    const auto add = [&](const ConvOptions& o, const ActOptions& a) {
      layers.emplace_back(s / "conv" / int(layers.size()), o, norm, a);
    };
    if (expansion != 1) add(ConvOptions::square(in, middle, 1), act);
    add(ConvOptions::square(middle, middle, 3, stride, int(middle)), act);
    add(ConvOptions::square(middle, out, 1), {ActType::none});
  }
  Tensor operator()(const Tensor& x) const {
    Tensor y = x;
    for (const ConvModule& layer : layers) y = layer(y);
    return shortcut ? x + y : y;
  }
};

class MobileNetV2 : public Backbone {
 public:
  MobileNetV2(const Config& c, const Scope& s)
      : options_(read_stages(c, 8, {.out_indices = {7}, .norm = {}})) {
    const double widen = c.get("widen_factor", 1.0);
    const ActOptions act = read_act(c, "act_cfg", {ActType::relu6});
    int64_t in = rounded_width(32 * widen);
    conv1_ = ConvModule(s / "conv1", ConvOptions::square(3, in, 3, 2), options_.norm, act);
    for (const Stage& stage : kStages) {
      const int64_t out = rounded_width(double(stage.width) * widen);
      const Scope layer = stage_scope(s, int(stages_.size()));
      std::vector<Block> blocks;
      for (int j = 0; j < stage.blocks; ++j) {
        blocks.emplace_back(layer / j, in, out, j == 0 ? stage.stride : 1, stage.expansion,
                            options_.norm, act);
        in = out;
      }
      stages_.push_back(std::move(blocks));
    }
    const int64_t last = widen > 1 ? int64_t(1280 * widen) : 1280;
    conv2_ = ConvModule(s / "conv2", ConvOptions::square(in, last, 1), options_.norm, act);
    initialise_convolutions(s, init::kaiming());
    freeze_stages(s, options_, [&](int i) { return i < 7 ? stage_scope(s, i) : s / "conv2"; });
  }

  Features operator()(const Tensor& image) const override {
    Tensor x = conv1_(image);
    Features out;
    for (size_t i = 0; i < stages_.size(); ++i) {
      for (const Block& block : stages_[i]) x = block(x);
      if (options_.wanted(int(i))) out.push_back(x);
    }
    if (options_.wanted(7)) out.push_back(conv2_(x));
    return out;
  }

 private:
  static Scope stage_scope(const Scope& s, int i) { return s / ("layer" + std::to_string(i + 1)); }

  StageOptions options_;
  ConvModule conv1_;
  std::vector<std::vector<Block>> stages_;
  ConvModule conv2_;
};

}  // namespace

std::unique_ptr<Backbone> make_mobilenet_v2(const Config& config, const Scope& scope) {
  return std::make_unique<MobileNetV2>(config, scope);
}

}  // namespace limber
