#include "pose/backbones/vipnas.h"

#include <algorithm>

#include "nn/blocks/inverted_residual.h"
#include "pose/backbones/resnet.h"
#include "pose/backbones/stage_options.h"
#include "pose/core/layer_config.h"

namespace limber {
namespace {

// The list of `key`, one entry for the stem and one per stage; what does not concern the stem is
// null there and read as 0.
template <class T>
std::vector<T> per_stage(const Config& c, std::string_view key, std::vector<T> fallback) {
  const Config list = c.find(key);
  if (list.is_null()) return fallback;
  std::vector<T> values;
  for (size_t i = 0; i < list.size(); ++i)
    values.push_back(list.at(i).is_null() ? T(0) : list.at(i).as<T>());
  check_input(values.size() >= 2, c.path(), ".", key, ": ", values.size(), " values");
  return values;
}

// Global context: the mean of all pixels under learned weights, transformed and added to each of
// them; Cao et al. 2019 (GCNet), arXiv 1904.11492, figure 4 (d).
class ContextBlock {
 public:
  ContextBlock(const Scope& s, int64_t channels)
      : mask_(s / "conv_mask", ConvOptions::square(channels, 1, 1, 1, 1, true)) {
    const auto middle = int64_t(double(channels) * std::max(1.0 / 16, 16.0 / double(channels)));
    const Scope add = s / "channel_add_conv";
    down_ = Conv2d(add / 0, {.in = channels, .out = middle});
    norm_ = LayerNorm(add / 1, Shape{middle, 1, 1});
    up_ = Conv2d(add / 3, {.in = middle, .out = channels});
  }
  Tensor operator()(const Tensor& x) const {
    const int64_t N = x.size(0), pixels = x.size(1) * x.size(2), C = x.size(3);
    const Tensor weights = softmax(reshape(mask_(x), {N, 1, pixels}));
    const Tensor context = reshape(matmul(weights, reshape(x, {N, pixels, C})), {N, 1, 1, C});
    return x + up_(relu(norm_(down_(context))));
  }

 private:
  Conv2d mask_, down_, up_;
  LayerNorm norm_;
};

class ViPNASMobileNetV3 : public Backbone {
 public:
  ViPNASMobileNetV3(const Config& c, const Scope& s) {
    const auto width = per_stage<int64_t>(c, "wid", {16, 16, 24, 40, 80, 112, 160});
    const auto expansion = per_stage<int>(c, "expan", {0, 1, 5, 4, 5, 5, 6});
    const auto blocks = per_stage<int>(c, "dep", {0, 1, 4, 4, 4, 4, 4});
    const auto kernel = per_stage<int>(c, "ks", {3, 3, 7, 7, 5, 7, 5});
    const auto groups = per_stage<int>(c, "group", {0, 8, 120, 20, 100, 280, 240});
    const auto attention = per_stage<bool>(c, "att", {false, true, true, false, true, true, true});
    const auto stride = per_stage<int>(c, "stride", {2, 1, 2, 2, 2, 1, 2});
    const std::vector<ActOptions> act = activations(c);
    const size_t count = blocks.size();
    check_input(width.size() >= count && expansion.size() >= count && kernel.size() >= count &&
                    groups.size() >= count && attention.size() >= count && stride.size() >= count &&
                    act.size() >= count,
                c.path(), ": dep has ", count, " stages, another list fewer");
    int layers = 0;
    for (size_t i = 1; i < count; ++i) layers += blocks[i];
    const StageOptions o = read_stages(c, layers, {.out_indices = {-1}, .norm = {}});
    conv1_ = ConvModule(s / "conv1", ConvOptions::square(3, width[0], kernel[0], stride[0]), o.norm,
                        act[0]);
    const auto scope_of = [&](int i) { return s / ("layer" + std::to_string(i + 1)); };
    for (size_t i = 1; i < count; ++i)
      for (int j = 0; j < blocks[i]; ++j)
        layers_.emplace_back(scope_of(int(layers_.size())),
                             InvertedResidualOptions{.in = width[j == 0 ? i - 1 : i],
                                                     .out = width[i],
                                                     .middle = width[i] * expansion[i],
                                                     .kernel = kernel[i],
                                                     .stride = j == 0 ? stride[i] : 1,
                                                     .groups = groups[i],
                                                     .expand = expansion[i] != 1,
                                                     .attention = attention[i],
                                                     .norm = o.norm,
                                                     .act = act[i]});
    initialise_convolutions(s, init::normal(0, 0.001));
    freeze_stages(s, o, scope_of);
  }

  Features operator()(const Tensor& image) const override {
    Tensor x = conv1_(image);
    for (const InvertedResidual& layer : layers_) x = layer(x);
    return {x};
  }

 private:
  static std::vector<ActOptions> activations(const Config& c) {
    const auto names = c.get("act", std::vector<std::string>{"HSwish", "ReLU", "ReLU", "ReLU",
                                                             "HSwish", "HSwish", "HSwish"});
    std::vector<ActOptions> acts;
    for (const std::string& name : names) {
      Config act = Config::object();
      act.set("type", Config::value(name));
      acts.push_back(read_act(act));
    }
    return acts;
  }

  ConvModule conv1_;
  std::vector<InvertedResidual> layers_;
};

}  // namespace

std::unique_ptr<Backbone> make_vipnas_resnet(const Config& config, const Scope& scope) {
  const int depth = config.get<int>("depth");
  check_input(depth == 50, config.path(), ".depth: ", depth, "; ViPNAS_ResNet has 50");
  const auto width = per_stage<int64_t>(config, "wid", {48, 80, 160, 304, 608});
  const auto expansion = per_stage<int>(config, "expan", {0, 1, 1, 1, 1});
  const auto blocks = per_stage<int>(config, "dep", {0, 4, 6, 7, 3});
  const auto kernel = per_stage<int>(config, "ks", {7, 3, 5, 5, 5});
  const auto groups = per_stage<int>(config, "group", {0, 16, 16, 16, 16});
  const auto attention = per_stage<bool>(config, "att", {false, true, false, true, true});
  ResNetOptions o = read_resnet_stages(config, {});
  const size_t count = size_t(o.num_stages) + 1;
  check_input(width.size() >= count && expansion.size() >= count && blocks.size() >= count &&
                  kernel.size() >= count && groups.size() >= count && attention.size() >= count,
              config.path(), ": num_stages ", o.num_stages, " needs as many entries behind the ",
              "stem's in wid, expan, dep, ks, group and att");
  o.stem_channels = width[0];
  o.stem_kernel = kernel[0];
  o.widths.assign(width.begin() + 1, width.end());
  o.blocks.assign(blocks.begin() + 1, blocks.end());
  o.zero_init_residual = false;  // read by the reference too, but never applied
  auto net = std::make_unique<ResNet>(scope, o, [=](const Scope& s, BlockOptions b) {
    const size_t i = size_t(b.stage) + 1;
    b.expansion = expansion[i];
    b.kernel = kernel[i];
    b.groups = groups[i];
    if (!attention[i]) return bottleneck(s, b);
    return gated_bottleneck(s, b, ContextBlock(s / "attention", b.out));
  });
  initialise_convolutions(scope, init::normal(0, 0.001));
  return net;
}

std::unique_ptr<Backbone> make_vipnas_mobilenet_v3(const Config& config, const Scope& scope) {
  return std::make_unique<ViPNASMobileNetV3>(config, scope);
}

}  // namespace limber
