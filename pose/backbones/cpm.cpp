#include "pose/backbones/cpm.h"

#include "nn/blocks/conv_module.h"
#include "pose/core/layer_config.h"
#include "tensor/ops.h"

namespace limber {
namespace {

constexpr ActOptions kRelu{ActType::relu};
constexpr PoolGeometry kPool{.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}};

// Three 9 x 9 convolutions, numbered 0, 2, 4, each followed by a pool: an eighth of the size.
struct Trunk {
  std::vector<ConvModule> convs;
  Trunk(const Scope& s, const NormOptions& norm) {
    for (int i = 0; i < 3; ++i)
      convs.emplace_back(s / (2 * i), ConvOptions::square(i == 0 ? 3 : 128, 128, 9), norm, kRelu);
  }
  Tensor operator()(Tensor x) const {
    for (const ConvModule& conv : convs) x = max_pool2d(conv(x), kPool);
    return x;
  }
};

// A stage behind the first.
struct Stage {
  ConvModule image;               // what it sees of the image
  std::vector<ConvModule> convs;  // 11 x 11
  ConvModule out1, out2;
  Stage(const Scope& s, int index, int64_t middle, int64_t feat, int64_t out,
        const NormOptions& norm)
      : image(s / "middle_conv" / index / 0, ConvOptions::square(128, middle, 5), norm, kRelu) {
    for (int i = 0; i < 3; ++i)
      convs.emplace_back(s / "cpm_stages" / index / "model" / i,
                         ConvOptions::square(i == 0 ? middle + out : feat, feat, 11), norm, kRelu);
    const Scope outs = s / "out_convs" / index;
    out1 = ConvModule(outs / 0, ConvOptions::square(feat, feat, 1), norm, kRelu);
    out2 =
        ConvModule(outs / 1, {.in = feat, .out = out}, {.type = NormType::none}, {ActType::none});
  }
  Tensor operator()(const Tensor& beliefs, const Tensor& trunk) const {
    Tensor x = concat({beliefs, image(trunk)}, -1);
    for (const ConvModule& conv : convs) x = conv(x);
    return out2(out1(x));
  }
};

class Cpm : public Backbone {
 public:
  Cpm(const Config& c, const Scope& s)
      : norm_(read_norm(c, "norm_cfg", {})),
        stem_(s / "stem", norm_),
        middle_(s / "middle", norm_) {
    const auto in = c.get<int64_t>("in_channels");
    check_input(in == 3, c.path(), ".in_channels: ", in, ", but CPM looks at images: 3");
    const auto out = c.get<int64_t>("out_channels"), feat = c.get<int64_t>("feat_channels", 128),
               middle = c.get<int64_t>("middle_channels", 32);
    const Scope stem = s / "stem";
    first_.emplace_back(stem / 6, ConvOptions::square(128, 32, 5), norm_, kRelu);
    first_.emplace_back(stem / 7, ConvOptions::square(32, 512, 9), norm_, kRelu);
    first_.emplace_back(stem / 8, ConvOptions::square(512, 512, 1), norm_, kRelu);
    first_.emplace_back(stem / 9, ConvOptions{.in = 512, .out = out},
                        NormOptions{.type = NormType::none}, ActOptions{ActType::none});
    const int stages = c.get("num_stages", 6);
    for (int i = 0; i + 1 < stages; ++i) stages_.emplace_back(s, i, middle, feat, out, norm_);
    initialise_convolutions(s, init::normal(0, 0.001));
  }

  Features operator()(const Tensor& image) const override {
    Tensor x = stem_(image);
    for (const ConvModule& conv : first_) x = conv(x);
    Features out{x};
    if (stages_.empty()) return out;
    const Tensor trunk = middle_(image);
    for (const Stage& stage : stages_) out.push_back(stage(out.back(), trunk));
    return out;
  }

 private:
  NormOptions norm_;
  Trunk stem_, middle_;
  std::vector<ConvModule> first_;
  std::vector<Stage> stages_;
};

}  // namespace

std::unique_ptr<Backbone> make_cpm(const Config& config, const Scope& scope) {
  return std::make_unique<Cpm>(config, scope);
}

}  // namespace limber
