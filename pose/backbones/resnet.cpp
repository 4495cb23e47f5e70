#include "pose/backbones/resnet.h"

#include <algorithm>

#include "pose/core/layer_config.h"

namespace limber {
namespace {

std::vector<int> blocks_of(int depth, const std::string& where) {
  switch (depth) {
    case 18:
      return {2, 2, 2, 2};
    case 34:
      return {3, 4, 6, 3};
    case 50:
      return {3, 4, 6, 3};
    case 101:
      return {3, 4, 23, 3};
    case 152:
      return {3, 8, 36, 3};
    case 200:
      return {3, 24, 36, 3};
    case 269:
      return {3, 30, 48, 8};
    default:
      fail_input(where, "depth: no ResNet of depth ", depth,
                 "; there are 18, 34, 50, 101, 152, 200, 269");
  }
}

}  // namespace

ResNetOptions read_resnet(const Config& c) {
  ResNetOptions o;
  o.depth = c.get<int>("depth");
  return read_resnet_stages(c, o);
}

ResNetOptions read_resnet_stages(const Config& c, ResNetOptions o) {
  o.in_channels = c.get("in_channels", o.in_channels);
  o.stem_channels = c.get("stem_channels", o.stem_channels);
  o.base_channels = c.get("base_channels", o.base_channels);
  o.expansion = c.get("expansion", o.expansion);
  o.num_stages = c.get("num_stages", o.num_stages);
  o.strides = c.get("strides", o.strides);
  o.dilations = c.get("dilations", o.dilations);
  o.out_indices = c.get("out_indices", o.out_indices);
  const auto style = c.get<std::string>("style", "pytorch");
  check_input(style == "pytorch" || style == "caffe", c.path(),
              ".style: \"pytorch\" or \"caffe\", not \"", style, "\"");
  o.stride_first = style == "caffe";
  o.deep_stem = c.get("deep_stem", o.deep_stem);
  o.avg_down = c.get("avg_down", o.avg_down);
  o.zero_init_residual = c.get("zero_init_residual", o.zero_init_residual);
  o.frozen_stages = c.get("frozen_stages", -1);
  o.norm_eval = c.get("norm_eval", false);
  o.norm = read_norm(c, "norm_cfg", {});
  c.find("with_cp");  // recomputes instead of keeping activations: the numbers are the same
  c.find("conv_cfg");
  check_input(o.num_stages >= 1 && o.num_stages <= 4 && int(o.strides.size()) >= o.num_stages &&
                  int(o.dilations.size()) >= o.num_stages,
              c.path(), ": num_stages ", o.num_stages, " needs as many strides and dilations");
  for (int index : o.out_indices)
    check_input(index >= 0 && index < o.num_stages, c.path(), ".out_indices: no stage ", index);
  return o;
}

ResNet::ResNet(const Scope& s, const ResNetOptions& o, const BlockFactory& block)
    : out_indices_(o.out_indices), stem_pool_(o.stem_pool) {
  const ActOptions act{ActType::relu};
  if (o.deep_stem) {
    const int64_t half = o.stem_channels / 2;
    const Scope stem = s / "stem";
    deep_stem_.emplace_back(stem / 0, ConvOptions::square(o.in_channels, half, 3, 2), o.norm, act);
    deep_stem_.emplace_back(stem / 1, ConvOptions::square(half, half, 3), o.norm, act);
    deep_stem_.emplace_back(stem / 2, ConvOptions::square(half, o.stem_channels, 3), o.norm, act);
  } else {
    conv1_ =
        Conv2d(s / "conv1", ConvOptions::square(o.in_channels, o.stem_channels, o.stem_kernel, 2));
    norm1_ = Norm(s / (std::string(norm_leaf(o.norm.type)) + "1"), o.stem_channels, o.norm);
  }
  check_input(!block || o.depth >= 50, s.path(), ".depth: ", o.depth,
              ", but this variant is made of bottlenecks: 50 and more");
  const bool basic = !block && o.depth < 50;
  const BlockFactory make = block ? block : (basic ? basic_block : bottleneck);
  BlockOptions b;
  b.expansion = o.expansion > 0 ? o.expansion : (basic ? 1 : 4);
  b.in = o.stem_channels;
  b.stride_first = o.stride_first;
  b.avg_down = o.avg_down;
  b.norm = o.norm;
  const std::vector<int> counts = o.blocks.empty() ? blocks_of(o.depth, s.path() + ".") : o.blocks;
  for (int i = 0; i < o.num_stages; ++i) {
    b.stage = i;
    b.out = o.widths.empty() ? (o.base_channels * b.expansion) << i : o.widths[size_t(i)];
    b.stride = o.strides[size_t(i)];
    b.dilation = o.dilations[size_t(i)];
    stages_.emplace_back(s / ("layer" + std::to_string(i + 1)), counts[size_t(i)], b, make);
    b.in = b.out;
  }
  ParameterStore& store = s.store();
  store.initialise_layers(s.path(), "Conv2d", "weight", init::kaiming());
  if (o.zero_init_residual) {
    const std::string last = std::string(norm_leaf(o.norm.type)) + (basic ? "2" : "3");
    for (int i = 0; i < o.num_stages; ++i)
      for (int j = 0; j < counts[size_t(i)]; ++j)
        store.initialise_layers((s / ("layer" + std::to_string(i + 1)) / j / last).path(),
                                "BatchNorm", "weight", init::constant(0));
  }
  freeze(s, o);
}

void ResNet::freeze(const Scope& s, const ResNetOptions& o) const {
  const auto hold = [&](const std::string& child) {
    (s / child).freeze();
    (s / child).keep_eval();
  };
  if (o.frozen_stages >= 0) {
    for (const char* child : {"stem", "conv1", "bn1", "gn1", "ln1"}) hold(child);
  }
  for (int i = 1; i <= o.frozen_stages; ++i) hold("layer" + std::to_string(i));
  if (o.norm_eval) s.store().keep_eval_layers(s.path(), "BatchNorm");
}

Features ResNet::operator()(const Tensor& image) const {
  Tensor x = image;
  if (deep_stem_.empty()) {
    x = relu(norm1_(conv1_(x)));
  } else {
    for (const ConvModule& layer : deep_stem_) x = layer(x);
  }
  if (stem_pool_) x = max_pool2d(x, {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}});
  Features out;
  for (size_t i = 0; i < stages_.size(); ++i) {
    x = stages_[i](x);
    if (std::ranges::find(out_indices_, int(i)) != out_indices_.end()) out.push_back(x);
  }
  return out;
}

std::unique_ptr<Backbone> make_resnet(const Config& config, const Scope& scope) {
  return std::make_unique<ResNet>(scope, read_resnet(config));
}

std::unique_ptr<Backbone> make_resnet_v1d(const Config& config, const Scope& scope) {
  ResNetOptions o = read_resnet(config);
  o.deep_stem = o.avg_down = true;
  return std::make_unique<ResNet>(scope, o);
}

}  // namespace limber
