#include "pose/backbones/swin.h"

#include <optional>

#include "nn/blocks/patch_embed.h"
#include "nn/blocks/window_attention.h"
#include "pose/backbones/stage_options.h"
#include "pose/core/layer_config.h"

namespace limber {
namespace {

struct BlockSettings {
  int64_t channels = 0, hidden = 0;
  int heads = 1, window = 7;
  bool qkv_bias = true;
  double scale = 0, drop = 0, attn_drop = 0;
  ActOptions act;
  NormOptions norm;
};

struct SwinBlock {
  Norm norm1, norm2;
  WindowAttention attn;
  FeedForward ffn;
  DropPath attn_path, ffn_path;

  SwinBlock(const Scope& s, const BlockSettings& o, double path)
      : norm1(s / "norm1", o.channels, o.norm),
        norm2(s / "norm2", o.channels, o.norm),
        attn(s / "attn" / "w_msa", {.channels = o.channels,
                                    .heads = o.heads,
                                    .window = {o.window, o.window},
                                    .qkv_bias = o.qkv_bias,
                                    .scale = o.scale,
                                    .attn_drop = o.attn_drop,
                                    .drop = o.drop}),
        ffn(s / "ffn", o.channels, o.hidden, o.act, o.drop),
        attn_path(s / "attn" / "drop", path),
        ffn_path(s / "ffn" / "dropout_layer", path) {}

  Tensor operator()(const Tensor& x, const Windows& windows, const Tensor& mask) const {
    const Tensor y = x + attn_path(windows.join(attn(windows.cut(norm1(x)), mask)));
    return y + ffn_path(ffn(norm2(y)));
  }
};

struct SwinStage {
  int window = 7;
  std::vector<SwinBlock> blocks;
  std::optional<PatchMerging> downsample;

  // Every second block has its windows shifted by half.
  Tensor operator()(Tensor x) const {
    const auto windows = [&](int shift) {
      return Windows(x.size(1), x.size(2), {window, window}, shift, WindowPadding::corner);
    };
    const Windows plain = windows(0), shifted = windows(window / 2);
    const Tensor mask = blocks.size() > 1 ? shifted.mask(x.dtype()) : Tensor();
    for (size_t i = 0; i < blocks.size(); ++i)
      x = i % 2 == 0 ? blocks[i](x, plain, {}) : blocks[i](x, shifted, mask);
    return x;
  }
};

class SwinTransformer : public Backbone {
 public:
  SwinTransformer(const Config& c, const Scope& s);
  Features operator()(const Tensor& image) const override;

 private:
  void make_position(const Config& c, const Scope& s, int patch, int64_t channels);
  void make_stages(const Config& c, const Scope& s, int64_t channels);
  void freeze(const Scope& s) const;
  StageOptions options_;
  PatchEmbed patch_embed_;
  Tensor position_;  // (1, L, C) or undefined
  Dropout drop_;
  std::vector<SwinStage> stages_;
  std::vector<Norm> norms_;  // per stage; identity where the stage does not go out
};

SwinTransformer::SwinTransformer(const Config& c, const Scope& s) {
  const auto channels = c.get<int64_t>("embed_dims", 96);
  const int patch = c.get("patch_size", 4);
  const auto depths = c.get("depths", std::vector<int>{2, 2, 6, 2});
  options_ = read_stages(c, int(depths.size()),
                         {.out_indices = {0, 1, 2, 3}, .norm = {.type = NormType::layer}});
  const auto strides = c.get("strides", std::vector<int>{4, 2, 2, 2});
  check_input(strides.size() >= depths.size() && strides[0] == patch, c.path(),
              ".strides: ", "one per stage expected, the first of them patch_size");
  const NormOptions none{.type = NormType::none};
  const bool patch_norm = c.get("patch_norm", true);
  patch_embed_ = PatchEmbed(s / "patch_embed",
                            {.in = c.get<int64_t>("in_channels", 3),
                             .out = channels,
                             .kernel = {patch, patch},
                             .stride = {patch, patch}},
                            /*adaptive=*/true, patch_norm ? options_.norm : none);
  make_position(c, s, patch, channels);
  drop_ = Dropout(s / "drop_after_pos", c.get("drop_rate", 0.0));
  make_stages(c, s, channels);
  c.find("convert_weights");  // concerns checkpoints of the paper's authors
  s.store().initialise_layers(s.path(), "Linear", "weight", init::truncated_normal(0, 0.02));
  s.store().initialise_layers(s.path(), "Linear", "bias", init::constant(0));
  freeze(s);
}

void SwinTransformer::make_position(const Config& c, const Scope& s, int patch, int64_t channels) {
  const auto size = c.has("pretrain_img_size") ? read_pair(c.at("pretrain_img_size"))
                                               : std::array<int, 2>{224, 224};
  if (!c.get("use_abs_pos_embed", false)) return;
  const int64_t tokens = int64_t(size[0] / patch) * (size[1] / patch);
  position_ =
      s.parameter("absolute_pos_embed", {1, tokens, channels}, init::truncated_normal(0, 0.02));
}

void SwinTransformer::make_stages(const Config& c, const Scope& s, int64_t channels) {
  const auto depths = c.get("depths", std::vector<int>{2, 2, 6, 2});
  const auto heads = c.get("num_heads", std::vector<int>{3, 6, 12, 24});
  const auto strides = c.get("strides", std::vector<int>{4, 2, 2, 2});
  check_input(heads.size() == depths.size(), c.path(), ".num_heads: one per stage expected, ",
              depths.size());
  BlockSettings o{.window = c.get("window_size", 7),
                  .qkv_bias = c.get("qkv_bias", true),
                  .scale = c.get("qk_scale", 0.0),
                  .drop = c.get("drop_rate", 0.0),
                  .attn_drop = c.get("attn_drop_rate", 0.0),
                  .act = read_act(c, "act_cfg", {ActType::gelu}),
                  .norm = options_.norm};
  const NormOptions none{.type = NormType::none};
  const NormOptions merging = c.get("patch_norm", true) ? o.norm : none;
  const auto mlp_ratio = c.get("mlp_ratio", 4.0), path = c.get("drop_path_rate", 0.1);
  int total = 0, index = 0;
  for (int depth : depths) total += depth;
  for (size_t i = 0; i < depths.size(); ++i, channels *= 2) {
    const Scope child = s / "stages" / int(i);
    SwinStage stage{.window = o.window, .blocks = {}, .downsample = {}};
    o.channels = channels;
    o.hidden = int64_t(mlp_ratio * double(channels));
    o.heads = heads[i];
    for (int j = 0; j < depths[i]; ++j, ++index)
      stage.blocks.emplace_back(child / "blocks" / j, o,
                                total > 1 ? path * index / (total - 1) : 0);
    if (i + 1 < depths.size())
      stage.downsample.emplace(child / "downsample", channels, 2 * channels, strides[i + 1],
                               merging);
    stages_.push_back(std::move(stage));
    norms_.push_back(options_.wanted(int(i))
                         ? Norm(s / ("norm" + std::to_string(i)), channels, o.norm)
                         : Norm());
  }
}

void SwinTransformer::freeze(const Scope& s) const {
  if (options_.frozen < 0) return;
  hold(s / "patch_embed");
  if (position_.defined()) (s / "absolute_pos_embed").freeze();
  (s / "drop_after_pos").keep_eval();
  for (int i = 0; i < options_.frozen; ++i) {
    hold(s / ("norm" + std::to_string(i)));
    hold(s / "stages" / i);
  }
}

Features SwinTransformer::operator()(const Tensor& image) const {
  Tensor x = patch_embed_(image);
  if (position_.defined()) {
    check(position_.size(1) == x.size(1) * x.size(2), "SwinTransformer: ", position_.size(1),
          " positions for a map ", x.shape(), "; pretrain_img_size must be the input's");
    x = x + reshape(position_, x.shape().with(0, 1));
  }
  x = drop_(x);
  Features out;
  for (size_t i = 0; i < stages_.size(); ++i) {
    x = stages_[i](x);
    if (options_.wanted(int(i))) out.push_back(norms_[i](x));
    if (stages_[i].downsample) x = (*stages_[i].downsample)(x);
  }
  return out;
}

}  // namespace

std::unique_ptr<Backbone> make_swin(const Config& config, const Scope& scope) {
  return std::make_unique<SwinTransformer>(config, scope);
}

}  // namespace limber
