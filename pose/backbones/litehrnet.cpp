#include "pose/backbones/litehrnet.h"

#include <cmath>
#include <numeric>

#include "nn/blocks/channel_shuffle.h"
#include "nn/blocks/se_layer.h"
#include "pose/backbones/hrnet.h"
#include "pose/backbones/shufflenet.h"

namespace limber {
namespace {

const ActOptions kRelu{ActType::relu}, kLinear{ActType::none};

ConvModule depthwise(const Scope& s, int64_t channels, int stride, const NormOptions& norm) {
  return {s, ConvOptions::square(channels, channels, 3, stride, int(channels)), norm, kLinear};
}

ConvModule pointwise(const Scope& s, int64_t in, int64_t out, const NormOptions& norm,
                     const ActOptions& act = kRelu) {
  return {s, ConvOptions::square(in, out, 1), norm, act};
}

// A quarter of the image: a strided convolution, then a shuffle unit that halves again.
struct Stem {
  ConvModule conv1, branch1_depthwise, branch1_pointwise, expand, middle, linear;
  int64_t out = 0;

  Stem(const Config& c, const Scope& s, int64_t in, const NormOptions& norm)
      : out(c.get<int64_t>("out_channels")) {
    const auto width = c.get<int64_t>("stem_channels");
    const auto expanded = int64_t(std::llround(double(width) * c.get<double>("expand_ratio")));
    const int64_t branch = width / 2, right = width == out ? branch : width, left = out - right;
    check_input(left > 0, c.path(), ".out_channels: ", out, " of a stem of ", width);
    c.expect_all_read();
    conv1 = ConvModule(s / "conv1", ConvOptions::square(in, width, 3, 2), norm, kRelu);
    branch1_depthwise = depthwise(s / "branch1" / 0, branch, 2, norm);
    branch1_pointwise = pointwise(s / "branch1" / 1, branch, left, norm);
    expand = pointwise(s / "expand_conv", branch, expanded, norm);
    middle = depthwise(s / "depthwise_conv", expanded, 2, norm);
    linear = pointwise(s / "linear_conv", expanded, right, norm);
  }
  Tensor operator()(const Tensor& image) const {
    const std::vector<Tensor> halves = chunk(conv1(image), 2, -1);
    const Tensor left = branch1_pointwise(branch1_depthwise(halves[0]));
    const Tensor right = linear(middle(expand(halves[1])));
    return channel_shuffle(concat({left, right}, -1), 2);
  }
};

// Weighs every map by what all maps, pooled to the smallest, say together.
struct CrossResolutionWeighting {
  std::vector<int64_t> channels;
  ConvModule conv1, conv2;

  CrossResolutionWeighting(const Scope& s, const std::vector<int64_t>& widths, int64_t ratio,
                           const NormOptions& norm)
      : channels(widths) {
    const int64_t total = std::accumulate(widths.begin(), widths.end(), int64_t{0});
    conv1 = pointwise(s / "conv1", total, total / ratio, norm);
    conv2 = pointwise(s / "conv2", total / ratio, total, norm, {ActType::sigmoid});
  }
  Features operator()(const Features& maps) const {
    const int64_t height = maps.back().size(1), width = maps.back().size(2);
    Features pooled;
    for (size_t i = 0; i + 1 < maps.size(); ++i)
      pooled.push_back(adaptive_avg_pool2d(maps[i], height, width));
    pooled.push_back(maps.back());
    const Features weights = split(conv2(conv1(concat(pooled, -1))), channels, -1);
    Features out;
    for (size_t i = 0; i < maps.size(); ++i)
      out.push_back(maps[i] *
                    resize(weights[i], maps[i].size(1), maps[i].size(2), Interpolation::nearest));
    return out;
  }
};

// One block on all branches at once; figure 3 (b).
class WeightingBlock {
 public:
  WeightingBlock(const Scope& s, const std::vector<int64_t>& channels, int64_t ratio,
                 const NormOptions& norm)
      : cross_(s / "cross_resolution_weighting", halved(channels), ratio, norm) {
    for (size_t i = 0; i < channels.size(); ++i) {
      convs_.push_back(depthwise(s / "depthwise_convs" / int(i), channels[i] / 2, 1, norm));
      spatial_.emplace_back(s / "spatial_weighting" / int(i), channels[i] / 2, /*ratio=*/4);
    }
  }
  Features operator()(const Features& maps) const {
    Features left, right;
    for (const Tensor& map : maps) {
      const std::vector<Tensor> halves = chunk(map, 2, -1);
      left.push_back(halves[0]);
      right.push_back(halves[1]);
    }
    right = cross_(right);
    Features out;
    for (size_t i = 0; i < maps.size(); ++i)
      out.push_back(channel_shuffle(concat({left[i], spatial_[i](convs_[i](right[i]))}, -1), 2));
    return out;
  }

 private:
  static std::vector<int64_t> halved(std::vector<int64_t> channels) {
    for (int64_t& c : channels) c /= 2;
    return channels;
  }
  CrossResolutionWeighting cross_;
  std::vector<ConvModule> convs_;
  std::vector<SeLayer> spatial_;
};

struct ModuleOptions {
  std::vector<int64_t> channels;
  int blocks = 2;
  int64_t ratio = 8;
  bool naive = false, fuse = true;
  NormOptions norm;
};

class LiteModule {
 public:
  LiteModule(const Scope& s, const ModuleOptions& o) {
    const size_t branches = o.channels.size();
    for (int k = 0; !o.naive && k < o.blocks; ++k)
      weighting_.emplace_back(s / "layers" / k, o.channels, o.ratio, o.norm);
    for (size_t i = 0; o.naive && i < branches; ++i) {
      std::vector<SplitUnit> units;
      for (int k = 0; k < o.blocks; ++k)
        units.emplace_back(s / "layers" / int(i) / k, o.channels[i], o.channels[i],
                           /*first=*/false, o.norm, kRelu);
      naive_.push_back(std::move(units));
    }
    if (o.fuse && branches > 1)
      fusion_.emplace(s / "fuse_layers", o.channels, branches, o.norm, Upsampling{},
                      /*separable=*/true);
  }

  Features operator()(Features maps) const {
    for (const WeightingBlock& block : weighting_) maps = block(maps);
    for (size_t i = 0; i < naive_.size(); ++i)
      for (const SplitUnit& unit : naive_[i]) maps[i] = unit(maps[i]);
    return fusion_ ? fused(std::move(maps)) : maps;
  }

 private:
  // The finest map counts twice in every sum, and as it stands after the first sum in the others:
  // the reference adds in place, and published weights were trained with it.
  Features fused(Features maps) const {
    Features out;
    for (size_t to = 0; to < fusion_->outputs(); ++to) {
      Tensor total = to == 0 ? maps[0] : fusion_->carried(0, to, maps[0]);
      for (size_t from = 0; from < maps.size(); ++from)
        total = total + (from == to ? maps[from] : fusion_->carried(from, to, maps[from]));
      if (to == 0) maps[0] = total;
      out.push_back(relu(total));
    }
    return out;
  }

  std::vector<WeightingBlock> weighting_;
  std::vector<std::vector<SplitUnit>> naive_;
  std::optional<HRFusion> fusion_;
};

// From the coarsest map to the finest: project, resize, add to the next.
struct IterativeHead {
  std::vector<DepthwiseSeparableConv> projects;  // coarsest first

  IterativeHead(const Scope& s, const std::vector<int64_t>& channels, const NormOptions& norm) {
    const size_t n = channels.size();
    for (size_t i = 0; i < n; ++i) {
      const int64_t in = channels[n - 1 - i], out = i + 1 < n ? channels[n - 2 - i] : in;
      projects.emplace_back(s / "projects" / int(i), ConvOptions::square(in, out, 3), norm, kLinear,
                            norm, kRelu);
    }
  }
  Features operator()(const Features& maps) const {
    Features out(maps.size());
    for (size_t i = maps.size(); i-- > 0;) {
      Tensor x = maps[i];
      if (i + 1 < maps.size())
        x = x + resize(out[i + 1], x.size(1), x.size(2), Interpolation::bilinear,
                       /*align_corners=*/true);
      out[i] = projects[maps.size() - 1 - i](x);
    }
    return out;
  }
};

class LiteHRNet : public Backbone {
 public:
  LiteHRNet(const Config& c, const Scope& s);
  Features operator()(const Tensor& image) const override;

 private:
  std::vector<int64_t> make_stages(const Config& extra, const Scope& s, const NormOptions& norm);
  std::optional<Stem> stem_;
  std::vector<HRTransition> transitions_;
  std::vector<std::vector<LiteModule>> stages_;
  std::optional<IterativeHead> head_;
};

LiteHRNet::LiteHRNet(const Config& c, const Scope& s) {
  const NormOptions norm = read_norm(c, "norm_cfg", {});
  const Config extra = c.at("extra");
  stem_.emplace(extra.at("stem"), s / "stem", c.get<int64_t>("in_channels", 3), norm);
  const std::vector<int64_t> channels = make_stages(extra, s, norm);
  if (extra.get<bool>("with_head")) head_.emplace(s / "head_layer", channels, norm);
  extra.expect_all_read();
  for (const char* key : {"conv_cfg", "with_cp"}) c.find(key);
  initialise_convolutions(s, init::normal(0, 0.001));
  if (c.get("norm_eval", false)) s.store().keep_eval_layers(s.path(), "BatchNorm");
}

// Returns the widths of the last stage.
std::vector<int64_t> LiteHRNet::make_stages(const Config& extra, const Scope& s,
                                            const NormOptions& norm) {
  const Config spec = extra.at("stages_spec");
  std::vector<int64_t> channels{stem_->out};
  for (int i = 0; i < extra.get<int>("num_stages"); ++i) {
    const auto at = [&](const char* key) { return spec.at(key).at(size_t(i)); };
    const auto next = at("num_channels").as<std::vector<int64_t>>();
    const auto type = at("module_type").as<std::string>();
    check_input(type == "LITE" || type == "NAIVE", spec.path(), ".module_type: \"LITE\" or ",
                "\"NAIVE\", not \"", type, "\"");
    check_input(next.size() == size_t(at("num_branches").as<int>()), spec.path(),
                ".num_channels: ", next.size(), " widths of stage ", i, ", num_branches says ",
                at("num_branches").as<int>());
    const ModuleOptions o{.channels = next,
                          .blocks = at("num_blocks").as<int>(),
                          .ratio = at("reduce_ratios").as<int64_t>(),
                          .naive = type == "NAIVE",
                          .fuse = at("with_fuse").as<bool>(),
                          .norm = norm};
    transitions_.emplace_back(s / ("transition" + std::to_string(i)), channels, next, norm,
                              /*separable=*/true);
    std::vector<LiteModule> modules;
    for (int m = 0; m < at("num_modules").as<int>(); ++m)
      modules.emplace_back(s / ("stage" + std::to_string(i)) / m, o);
    stages_.push_back(std::move(modules));
    channels = next;
  }
  spec.expect_all_read();
  return channels;
}

Features LiteHRNet::operator()(const Tensor& image) const {
  Features maps{(*stem_)(image)};
  for (size_t i = 0; i < stages_.size(); ++i) {
    maps = transitions_[i](maps);
    for (const LiteModule& module : stages_[i]) maps = module(std::move(maps));
  }
  if (head_) maps = (*head_)(maps);
  return {maps[0]};
}

}  // namespace

std::unique_ptr<Backbone> make_litehrnet(const Config& config, const Scope& scope) {
  return std::make_unique<LiteHRNet>(config, scope);
}

}  // namespace limber
