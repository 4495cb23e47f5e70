#include "pose/backbones/shufflenet.h"

#include <optional>

#include "nn/blocks/channel_shuffle.h"
#include "pose/backbones/stage_options.h"
#include "pose/core/layer_config.h"

namespace limber {
namespace {

constexpr int kBlocks[] = {4, 8, 4};
constexpr PoolGeometry kPool{.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}};

// Normal with a deviation of 1 / inputs, 0.01 in the stem; norms start off zero.
void initialise(const Scope& s) {
  initialise_convolutions(s, [](const Tensor& weight, Random& random) {
    init::normal(0, 1.0 / double(weight.size(-1)))(weight, random);
  });
  initialise_convolutions(s / "conv1", init::normal(0, 0.01));
  s.store().initialise_layers(s.path(), "BatchNorm", "bias", init::constant(0.0001));
}

// A grouped 1 x 1, shuffle, depthwise 3 x 3, grouped 1 x 1; figure 2 of V1. The first unit of a
// stage halves the image and has its input, pooled, beside the result; the others add it.
class GroupUnit {
 public:
  GroupUnit(const Scope& s, int64_t in, int64_t out, int groups, bool first_of_network,
            bool first_of_stage, const NormOptions& norm, const ActOptions& act)
      : groups_(groups),
        halves_(first_of_stage),
        act_(act),
        compress_(s / "g_conv_1x1_compress",
                  ConvOptions::square(in, out / 4, 1, 1, first_of_network ? 1 : groups), norm, act),
        depthwise_(s / "depthwise_conv3x3_bn",
                   ConvOptions::square(out / 4, out / 4, 3, halves_ ? 2 : 1, int(out / 4)), norm,
                   {ActType::none}),
        expand_(s / "g_conv_1x1_expand",
                ConvOptions::square(out / 4, halves_ ? out - in : out, 1, 1, groups), norm,
                {ActType::none}) {}

  Tensor operator()(const Tensor& x) const {
    Tensor y = depthwise_(compress_(x));
    if (groups_ > 1) y = channel_shuffle(y, groups_);
    y = expand_(y);
    return halves_ ? concat({avg_pool2d(x, kPool), activate(act_, y)}, -1) : activate(act_, x + y);
  }

 private:
  int groups_;
  bool halves_;
  ActOptions act_;
  ConvModule compress_, depthwise_, expand_;
};

class ShuffleNetV1 : public Backbone {
 public:
  ShuffleNetV1(const Config& c, const Scope& s)
      : options_(read_stages(c, 3, {.out_indices = {2}, .norm = {}})) {
    const double widen = c.get("widen_factor", 1.0);
    const int groups = c.get("groups", 3);
    const ActOptions act = read_act(c, "act_cfg", {ActType::relu});
    auto in = int64_t(24 * widen);
    conv1_ = ConvModule(s / "conv1", ConvOptions::square(3, in, 3, 2), options_.norm, act);
    for (int i = 0; i < 3; ++i) {
      const int64_t out = rounded_width(double(first_width(c, groups) << i) * widen);
      std::vector<GroupUnit> units;
      for (int j = 0; j < kBlocks[i]; ++j) {
        units.emplace_back(s / "layers" / i / j, in, out, groups, i == 0 && j == 0, j == 0,
                           options_.norm, act);
        in = out;
      }
      stages_.push_back(std::move(units));
    }
    initialise(s);
    freeze_stages(s, options_, [&](int i) { return s / "layers" / i; });
  }

  Features operator()(const Tensor& image) const override {
    Tensor x = max_pool2d(conv1_(image), kPool);
    Features out;
    for (size_t i = 0; i < stages_.size(); ++i) {
      for (const GroupUnit& unit : stages_[i]) x = unit(x);
      if (options_.wanted(int(i))) out.push_back(x);
    }
    return out;
  }

 private:
  // Table 1 of V1: about equal cost whatever the number of groups.
  static int64_t first_width(const Config& c, int groups) {
    switch (groups) {
      case 1:
        return 144;
      case 2:
        return 200;
      case 3:
        return 240;
      case 4:
        return 272;
      case 8:
        return 384;
      default:
        fail_input(c.path(), ".groups: ", groups, "; there are 1, 2, 3, 4, 8");
    }
  }

  StageOptions options_;
  ConvModule conv1_;
  std::vector<std::vector<GroupUnit>> stages_;
};

class ShuffleNetV2 : public Backbone {
 public:
  ShuffleNetV2(const Config& c, const Scope& s)
      : options_(read_stages(c, 4, {.out_indices = {3}, .norm = {}})) {
    const std::vector<int64_t> widths = widths_of(c);
    const ActOptions act = read_act(c, "act_cfg", {ActType::relu});
    int64_t in = 24;
    conv1_ = ConvModule(s / "conv1", ConvOptions::square(3, in, 3, 2), options_.norm, act);
    for (int i = 0; i < 3; ++i) {
      std::vector<SplitUnit> units;
      for (int j = 0; j < kBlocks[i]; ++j) {
        units.emplace_back(s / "layers" / i / j, in, widths[size_t(i)], j == 0, options_.norm, act);
        in = widths[size_t(i)];
      }
      stages_.push_back(std::move(units));
    }
    last_ = ConvModule(s / "layers" / 3, ConvOptions::square(in, widths[3], 1), options_.norm, act);
    initialise(s);
    freeze_stages(s, options_, [&](int i) { return s / "layers" / i; });
  }

  Features operator()(const Tensor& image) const override {
    Tensor x = max_pool2d(conv1_(image), kPool);
    Features out;
    for (size_t i = 0; i < stages_.size(); ++i) {
      for (const SplitUnit& unit : stages_[i]) x = unit(x);
      if (options_.wanted(int(i))) out.push_back(x);
    }
    if (options_.wanted(3)) out.push_back(last_(x));
    return out;
  }

 private:
  static std::vector<int64_t> widths_of(const Config& c) {
    const double widen = c.get("widen_factor", 1.0);
    if (widen == 0.5) return {48, 96, 192, 1024};
    if (widen == 1.0) return {116, 232, 464, 1024};
    if (widen == 1.5) return {176, 352, 704, 1024};
    if (widen == 2.0) return {244, 488, 976, 2048};
    fail_input(c.path(), ".widen_factor: ", widen, "; there are 0.5, 1, 1.5, 2");
  }

  StageOptions options_;
  ConvModule conv1_;
  std::vector<std::vector<SplitUnit>> stages_;
  ConvModule last_;
};

}  // namespace

SplitUnit::SplitUnit(const Scope& s, int64_t in, int64_t out, bool first, const NormOptions& norm,
                     const ActOptions& act) {
  const int64_t half = out / 2;
  const int stride = first ? 2 : 1;
  const auto depthwise = [&](const Scope& child, int64_t channels) {
    return ConvModule(child, ConvOptions::square(channels, channels, 3, stride, int(channels)),
                      norm, {ActType::none});
  };
  const auto pointwise = [&](const Scope& child, int64_t channels) {
    return ConvModule(child, ConvOptions::square(channels, half, 1), norm, act);
  };
  if (first) branch1_ = {depthwise(s / "branch1" / 0, in), pointwise(s / "branch1" / 1, in)};
  branch2_ = {pointwise(s / "branch2" / 0, first ? in : half), depthwise(s / "branch2" / 1, half),
              pointwise(s / "branch2" / 2, half)};
}

Tensor SplitUnit::operator()(const Tensor& x) const {
  Tensor left = x, right = x;
  if (branch1_.empty()) {
    const std::vector<Tensor> halves = chunk(x, 2, -1);
    left = halves[0];
    right = halves[1];
  }
  for (const ConvModule& layer : branch1_) left = layer(left);
  for (const ConvModule& layer : branch2_) right = layer(right);
  return channel_shuffle(concat({left, right}, -1), 2);
}

std::unique_ptr<Backbone> make_shufflenet_v1(const Config& config, const Scope& scope) {
  return std::make_unique<ShuffleNetV1>(config, scope);
}

std::unique_ptr<Backbone> make_shufflenet_v2(const Config& config, const Scope& scope) {
  return std::make_unique<ShuffleNetV2>(config, scope);
}

}  // namespace limber
