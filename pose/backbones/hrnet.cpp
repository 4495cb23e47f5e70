#include "pose/backbones/hrnet.h"

#include <algorithm>

#include "pose/core/layer_config.h"

namespace limber {
namespace {

class HRNet : public Backbone {
 public:
  HRNet(const Config& c, const Scope& s, const HRVariant& variant);
  Features operator()(const Tensor& image) const override;

 private:
  void freeze(const Scope& s, int frozen_stages) const;
  ConvNorm stem1_, stem2_;
  std::optional<ResidualStage> layer1_;
  std::vector<HRTransition> transitions_;
  std::vector<std::vector<HRModule>> stages_;
};

// The stem's layers are children of the network itself: conv1, bn1, conv2, bn2.
ConvNorm stem(const Scope& s, int index, int64_t in, const NormOptions& n) {
  const std::string number = std::to_string(index);
  Conv2d conv(s / ("conv" + number), ConvOptions::square(in, 64, 3, 2));
  return {std::move(conv), Norm(s / (std::string(norm_leaf(n.type)) + number), 64, n), true};
}

// Reads extra.stageN. `block`: the name that the stage's blocks must have, if not one of ResNet's.
HRStageOptions read_stage(const Config& c, const char* block_name) {
  HRStageOptions o;
  o.num_modules = c.get<int>("num_modules");
  const auto block = c.get<std::string>("block");
  const std::vector<std::string> known = block_name != nullptr
                                             ? std::vector<std::string>{block_name}
                                             : std::vector<std::string>{"BASIC", "BOTTLENECK"};
  check_input(std::ranges::find(known, block) != known.end(), c.path(), ".block: unknown \"", block,
              "\"", did_you_mean(block, known));
  o.bottleneck = block == "BOTTLENECK";
  o.num_blocks = c.get<std::vector<int>>("num_blocks");
  o.num_channels = c.get<std::vector<int64_t>>("num_channels");
  const size_t branches = size_t(c.get<int>("num_branches"));
  check_input(o.num_blocks.size() == branches && o.num_channels.size() == branches, c.path(), ": ",
              branches, " branches need as many num_blocks and num_channels");
  o.multiscale_output = c.get("multiscale_output", true);
  c.expect_all_read();
  return o;
}

HRNet::HRNet(const Config& c, const Scope& s, const HRVariant& variant)
    : stem1_(stem(s, 1, c.get<int64_t>("in_channels", 3), read_norm(c, "norm_cfg", {}))),
      stem2_(stem(s, 2, 64, read_norm(c, "norm_cfg", {}))) {
  const NormOptions norm = read_norm(c, "norm_cfg", {});
  const Config extra = c.at("extra");
  const Upsampling up = extra.has("upsample") ? read_upsampling(extra.at("upsample")) : variant.up;
  const HRStageOptions first = read_stage(extra.at("stage1"), nullptr);
  BlockOptions b{.in = 64,
                 .out = first.num_channels.at(0) * first.expansion(),
                 .expansion = first.expansion(),
                 .norm = norm};
  layer1_.emplace(s / "layer1", first.num_blocks.at(0), b,
                  first.bottleneck ? bottleneck : basic_block);
  std::vector<int64_t> channels{b.out};
  for (int n = 2; n <= 4; ++n) {
    const std::string name = "stage" + std::to_string(n);
    HRStageOptions o = read_stage(extra.at(name), variant.block);
    if (n == 4) o.multiscale_output = extra.at(name).get("multiscale_output", false);
    std::vector<int64_t> next;
    for (int64_t width : o.num_channels) next.push_back(width * o.expansion());
    transitions_.emplace_back(s / ("transition" + std::to_string(n - 1)), channels, next, norm);
    channels = next;
    std::vector<HRModule> modules;
    for (int m = 0; m < o.num_modules; ++m) {
      const bool last = m + 1 == o.num_modules;
      const size_t outputs = last && !o.multiscale_output ? 1 : channels.size();
      std::vector<BlockFactory> blocks;
      for (size_t i = 0; i < channels.size(); ++i)
        blocks.push_back(variant.blocks ? variant.blocks(n, m, i)
                         : o.bottleneck ? bottleneck
                                        : basic_block);
      modules.emplace_back(s / name / m, o, channels, outputs, norm, up, variant.separable, blocks);
    }
    stages_.push_back(std::move(modules));
  }
  extra.expect_all_read();
  c.find("with_cp");
  c.find("conv_cfg");
  s.store().initialise_layers(s.path(), "Conv2d", "weight", init::kaiming());
  if (c.get("zero_init_residual", false)) {
    const std::string last = first.bottleneck ? ".bn3.weight" : ".bn2.weight";
    for (const Parameter& p : s.store().all()) {
      Tensor weight = p.value;
      if (lies_below(p.name, s.path()) && p.name.ends_with(last))
        weight.copy_from(Tensor::zeros(weight.shape()));
    }
  }
  if (c.get("norm_eval", false)) s.store().keep_eval_layers(s.path(), "BatchNorm");
  freeze(s, c.get("frozen_stages", -1));
}

void HRNet::freeze(const Scope& s, int frozen_stages) const {
  const auto hold = [&](const std::string& child) {
    (s / child).freeze();
    (s / child).keep_eval();
  };
  if (frozen_stages >= 0)
    for (const char* child : {"conv1", "bn1", "conv2", "bn2"}) hold(child);
  for (int i = 1; i <= frozen_stages; ++i) {
    hold(i == 1 ? "layer1" : "stage" + std::to_string(i));
    if (i < 4) hold("transition" + std::to_string(i));
  }
}

Features HRNet::operator()(const Tensor& image) const {
  Features maps{(*layer1_)(stem2_(stem1_(image)))};
  for (size_t i = 0; i < stages_.size(); ++i) {
    maps = transitions_[i](maps);
    for (const HRModule& module : stages_[i]) maps = module(std::move(maps));
  }
  return maps;
}

}  // namespace

void add_separable(HRPath& path, const Scope& s, int64_t in, int64_t out, int stride,
                   const NormOptions& norm, bool with_relu) {
  path.emplace_back(Conv2d(s / 0, ConvOptions::square(in, in, 3, stride, int(in))),
                    Norm(s / 1, in, norm), /*with_relu=*/false);
  path.emplace_back(Conv2d(s / 2, ConvOptions::square(in, out, 1)), Norm(s / 3, out, norm),
                    with_relu);
}

HRTransition::HRTransition(const Scope& s, const std::vector<int64_t>& before,
                           const std::vector<int64_t>& after, const NormOptions& norm,
                           bool separable)
    : separable_(separable) {
  const auto add = [&](HRPath& path, const Scope& child, int64_t in, int64_t out, int stride) {
    if (separable) {
      add_separable(path, child, in, out, stride, norm, true);
    } else {
      path.emplace_back(child, ConvOptions::square(in, out, 3, stride), norm, true);
    }
  };
  for (size_t i = 0; i < after.size(); ++i) {
    HRPath path;
    const Scope branch = s / int(i);
    if (i < before.size()) {
      if (before[i] != after[i]) add(path, branch, before[i], after[i], 1);
    } else {
      const size_t steps = i + 1 - before.size();
      for (size_t j = 0; j < steps; ++j) {
        const int64_t out = j + 1 == steps ? after[i] : before.back();
        add(path, branch / int(j), before.back(), out, 2);
      }
    }
    paths_.push_back(std::move(path));
  }
}

Features HRTransition::operator()(const Features& maps) const {
  Features out;
  for (size_t i = 0; i < paths_.size(); ++i) {
    const bool own = paths_[i].empty() || (separable_ && i < maps.size());
    Tensor x = own ? maps[i] : maps.back();
    for (const ConvNorm& layer : paths_[i]) x = layer(x);
    out.push_back(x);
  }
  return out;
}

HRFusion::HRFusion(const Scope& s, const std::vector<int64_t>& channels, size_t outputs,
                   const NormOptions& norm, const Upsampling& up, bool separable)
    : up_(up) {
  for (size_t to = 0; to < outputs; ++to) {
    std::vector<HRPath> row;
    for (size_t from = 0; from < channels.size(); ++from) {
      HRPath path;
      const Scope child = s / int(to) / int(from);
      if (from > to)
        path.emplace_back(child, ConvOptions::square(channels[from], channels[to], 1), norm, false);
      for (size_t k = 0; from + k < to; ++k) {
        const bool last = from + k + 1 == to;
        const int64_t in = channels[from], out = last ? channels[to] : in;
        if (separable) {
          add_separable(path, child / int(k), in, out, 2, norm, !last);
        } else {
          path.emplace_back(child / int(k), ConvOptions::square(in, out, 3, 2), norm, !last);
        }
      }
      row.push_back(std::move(path));
    }
    paths_.push_back(std::move(row));
  }
}

Tensor HRFusion::carried(size_t from, size_t to, const Tensor& map) const {
  Tensor x = map;
  for (const ConvNorm& layer : paths_[to][from]) x = layer(x);
  if (from <= to) return x;
  const int64_t factor = int64_t{1} << (from - to);
  return resize(x, x.size(1) * factor, x.size(2) * factor, up_.mode, up_.align_corners);
}

Features HRFusion::operator()(const Features& maps) const {
  Features out;
  for (size_t to = 0; to < outputs(); ++to) {
    Tensor total;
    for (size_t from = 0; from < maps.size(); ++from) {
      const Tensor x = carried(from, to, maps[from]);
      total = total.defined() ? total + x : x;
    }
    out.push_back(relu(total));
  }
  return out;
}

HRModule::HRModule(const Scope& s, const HRStageOptions& o, std::vector<int64_t> in, size_t outputs,
                   const NormOptions& norm, const Upsampling& up, bool separable,
                   const std::vector<BlockFactory>& blocks) {
  for (size_t i = 0; i < in.size(); ++i) {
    BlockOptions b{.in = in[i],
                   .out = o.num_channels[i] * o.expansion(),
                   .expansion = o.expansion(),
                   .norm = norm};
    branches.emplace_back(s / "branches" / int(i), o.num_blocks[i], b, blocks[i]);
    in[i] = b.out;
  }
  if (in.size() > 1) fusion.emplace(s / "fuse_layers", in, outputs, norm, up, separable);
}

Features HRModule::operator()(Features maps) const {
  for (size_t i = 0; i < branches.size(); ++i) maps[i] = branches[i](maps[i]);
  return fusion ? (*fusion)(maps) : maps;
}

std::unique_ptr<Backbone> make_hr_variant(const Config& config, const Scope& scope,
                                          const HRVariant& variant) {
  return std::make_unique<HRNet>(config, scope, variant);
}

std::unique_ptr<Backbone> make_hrnet(const Config& config, const Scope& scope) {
  return make_hr_variant(config, scope, {});
}

}  // namespace limber
