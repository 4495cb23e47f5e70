#include "pose/necks/hybrid_encoder.h"

#include <cmath>
#include <map>

#include "nn/blocks/conv_module.h"
#include "nn/blocks/detr.h"
#include "pose/core/layer_config.h"

namespace limber {
namespace {

// A 3x3 and a 1x1 convolution side by side; Ding et al. 2021 (RepVGG), arXiv 2101.03697.
struct RepVggBlock {
  ConvModule wide, narrow;
  ActOptions act;
  RepVggBlock(const Scope& s, int64_t channels, const NormOptions& norm, const ActOptions& a)
      : wide(s / "branch_3x3", ConvOptions::square(channels, channels, 3), norm, {ActType::none}),
        narrow(s / "branch_1x1", ConvOptions::square(channels, channels, 1), norm, {ActType::none}),
        act(a) {}
  Tensor operator()(const Tensor& x) const { return activate(act, wide(x) + narrow(x)); }
};

// Two 1x1 convolutions side by side, one of them followed by blocks; their sum, widened again
// where the layer is narrower than its output.
class CspRepLayer {
 public:
  CspRepLayer(const Scope& s, int64_t in, int64_t out, int blocks, double widen,
              const NormOptions& norm, const ActOptions& act) {
    const int64_t width = int64_t(double(out) * widen);
    main_ = ConvModule(s / "conv1", ConvOptions::square(in, width, 1), norm, act);
    short_ = ConvModule(s / "conv2", ConvOptions::square(in, width, 1), norm, act);
    for (int i = 0; i < blocks; ++i) blocks_.emplace_back(s / "bottlenecks" / i, width, norm, act);
    widens_ = width != out;
    if (widens_) last_ = ConvModule(s / "conv3", ConvOptions::square(width, out, 1), norm, act);
  }
  Tensor operator()(const Tensor& x) const {
    Tensor y = main_(x);
    for (const RepVggBlock& block : blocks_) y = block(y);
    y = y + short_(x);
    return widens_ ? last_(y) : y;
  }

 private:
  ConvModule main_, short_, last_;
  std::vector<RepVggBlock> blocks_;
  bool widens_ = false;
};

// encoder_cfg: self_attn_cfg, ffn_cfg.
DetrEncoderOptions read_encoder(const Config& c, int64_t channels) {
  DetrEncoderOptions o;
  const Config attention = c.find("self_attn_cfg"), ffn = c.find("ffn_cfg");
  o.channels = attention.get<int64_t>("embed_dims", 256);
  o.heads = attention.get("num_heads", 8);
  o.attention_drop = attention.get("attn_drop", attention.get("dropout", 0.0));
  o.drop = attention.get("proj_drop", attention.get("dropout", 0.0));
  attention.find("batch_first");
  check_input(ffn.get<int64_t>("embed_dims", 256) == o.channels && o.channels == channels,
              c.where(), ": attention, ffn and hidden_dim differ in width");
  check_input(ffn.get("num_fcs", 2) == 2, ffn.where(), ": num_fcs other than 2");
  o.hidden = ffn.get<int64_t>("feedforward_channels", 1024);
  o.ffn_drop = ffn.get("ffn_drop", 0.0);
  o.act = read_act(ffn, "act_cfg", {ActType::relu});
  for (const Config& part : {attention, ffn, c})
    if (!part.is_null()) part.expect_all_read();
  return o;
}

class HybridEncoder : public Neck {
 public:
  HybridEncoder(const Config& c, const Scope& s);
  Features operator()(const Features& maps) const override;

 private:
  void make_encoders(const Config& c, const Scope& s);
  void make_pyramid(const Config& c, const Scope& s, const NormOptions& norm);
  Tensor encoded(const std::vector<DetrEncoderLayer>& layers, const Tensor& map) const;
  std::vector<int64_t> widths_;
  int64_t hidden_;
  SineEncoding position_;
  std::vector<ConvModule> project_, lateral_, down_;
  std::map<int, std::vector<DetrEncoderLayer>> encoders_;  // by level
  std::vector<CspRepLayer> top_down_, bottom_up_;
  std::vector<int> out_indices_;  // empty: all
  std::unique_ptr<Neck> projector_;
};

HybridEncoder::HybridEncoder(const Config& c, const Scope& s)
    : widths_(c.get<std::vector<int64_t>>("in_channels", {512, 1024, 2048})),
      hidden_(c.get<int64_t>("hidden_dim", 256)) {
  check_input(!widths_.empty(), c.where(), ": no in_channels");
  const NormOptions norm = read_norm(c, "norm_cfg", {});
  for (size_t i = 0; i < widths_.size(); ++i)
    project_.emplace_back(s / "input_proj" / int(i), ConvOptions::square(widths_[i], hidden_, 1),
                          norm, ActOptions{ActType::none});
  make_encoders(c, s);
  make_pyramid(c, s, norm);
  c.find("feat_strides").ignore();
  if (c.has("output_indices")) out_indices_ = c.get<std::vector<int>>("output_indices");
  for (int index : out_indices_)
    check_input(index >= 0 && index < int(widths_.size()), c.where(), ".output_indices: no map ",
                index, ", there are ", widths_.size());
  if (c.has("projector")) projector_ = make_neck(c.at("projector"), s / "projector");
}

void HybridEncoder::make_encoders(const Config& c, const Scope& s) {
  const int layers = c.get("num_encoder_layers", 1);
  const auto levels = c.get<std::vector<int>>("use_encoder_idx", {2});
  const DetrEncoderOptions options = read_encoder(c.find("encoder_cfg"), hidden_);
  position_ = SineEncoding(s / "sincos_pos_enc", hidden_ / 2, c.get("pe_temperature", 10000.0),
                           c.get("spe_learnable", false));
  int child = 0;
  for (int level : levels) {
    check_input(level >= 0 && level < int(widths_.size()), c.where(), ".use_encoder_idx: no map ",
                level, ", there are ", widths_.size());
    const Scope encoder = s / "encoder" / child++ / "layers";
    for (int i = 0; i < layers; ++i) encoders_[level].emplace_back(encoder / i, options);
  }
}

void HybridEncoder::make_pyramid(const Config& c, const Scope& s, const NormOptions& norm) {
  const ActOptions act = read_act(c, "act_cfg", {ActType::silu});
  const double widen = c.get("widen_factor", 1.0);
  const int blocks = int(std::nearbyint(3 * c.get("deepen_factor", 1.0)));
  const int steps = int(widths_.size()) - 1;
  const auto layer = [&](const Scope& child) {
    return CspRepLayer(child, 2 * hidden_, hidden_, blocks, widen, norm, act);
  };
  for (int i = 0; i < steps; ++i) {
    lateral_.emplace_back(s / "lateral_convs" / i, ConvOptions::square(hidden_, hidden_, 1), norm,
                          act);
    top_down_.push_back(layer(s / "fpn_blocks" / i));
    down_.emplace_back(s / "downsample_convs" / i, ConvOptions::square(hidden_, hidden_, 3, 2),
                       norm, act);
    bottom_up_.push_back(layer(s / "pan_blocks" / i));
  }
}

Tensor HybridEncoder::encoded(const std::vector<DetrEncoderLayer>& layers,
                              const Tensor& map) const {
  const int64_t N = map.size(0), H = map.size(1), W = map.size(2);
  const Tensor position = position_.grid(H, W);
  Tensor tokens = reshape(map, {N, H * W, hidden_});
  for (const DetrEncoderLayer& layer : layers) tokens = layer(tokens, position);
  return reshape(tokens, {N, H, W, hidden_});
}

Features HybridEncoder::operator()(const Features& maps) const {
  check(maps.size() == widths_.size(), "HybridEncoder: ", maps.size(), " maps for ", widths_.size(),
        " in_channels");
  Features inner;
  for (size_t i = 0; i < maps.size(); ++i) inner.push_back(project_[i](maps[i]));
  for (const auto& [level, layers] : encoders_)
    inner[size_t(level)] = encoded(layers, inner[size_t(level)]);
  for (size_t i = maps.size() - 1; i > 0; --i) {
    const size_t step = maps.size() - 1 - i;
    inner[i] = lateral_[step](inner[i]);
    const Tensor up =
        resize(inner[i], 2 * inner[i].size(1), 2 * inner[i].size(2), Interpolation::nearest);
    inner[i - 1] = top_down_[step](concat({up, inner[i - 1]}, -1));
  }
  Features all{inner[0]};
  for (size_t i = 0; i + 1 < maps.size(); ++i)
    all.push_back(bottom_up_[i](concat({down_[i](all[i]), inner[i + 1]}, -1)));
  if (!out_indices_.empty()) {
    Features chosen;
    for (int index : out_indices_) chosen.push_back(all[size_t(index)]);
    all = chosen;
  }
  return projector_ ? (*projector_)(all) : all;
}

}  // namespace

std::unique_ptr<Neck> make_hybrid_encoder(const Config& config, const Scope& scope) {
  return std::make_unique<HybridEncoder>(config, scope);
}

}  // namespace limber
