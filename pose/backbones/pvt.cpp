#include "pose/backbones/pvt.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "nn/blocks/conv_module.h"
#include "nn/blocks/patch_embed.h"
#include "nn/blocks/transformer.h"
#include "pose/core/layer_config.h"

namespace limber {
namespace {

struct PvtOptions {
  std::vector<int> patch_sizes{4, 2, 2, 2}, paddings{0, 0, 0, 0};
  bool position = true;     // learned, resized to the map
  bool norm_after = false;  // each stage
  bool conv_ffn = false;    // a depthwise 3 x 3 inside the feed-forward layers
};

struct BlockSettings {
  int64_t channels = 0, hidden = 0;
  int heads = 1, reduction = 1;
  bool qkv_bias = true, conv_ffn = false;
  double drop = 0, attn_drop = 0, path = 0;
  ActOptions act;
  NormOptions norm;
};

Tensor tokens_of(const Tensor& map) {
  return reshape(map, {map.size(0), map.size(1) * map.size(2), map.size(3)});
}

// Every pixel attends to the pixels of the map reduced `reduction` times.
struct ReducedAttention {
  MultiheadAttention attn;
  std::optional<Conv2d> reduce;
  Norm norm;
  Dropout drop;

  ReducedAttention(const Scope& s, const BlockSettings& o)
      : attn(s / "attn", o.channels, o.heads, o.qkv_bias, o.attn_drop),
        drop(s / "proj_drop", o.drop) {
    if (o.reduction == 1) return;
    reduce.emplace(s / "sr", ConvOptions{.in = o.channels,
                                         .out = o.channels,
                                         .kernel = {o.reduction, o.reduction},
                                         .stride = {o.reduction, o.reduction}});
    norm = Norm(s / "norm", o.channels, o.norm);
  }
  Tensor operator()(const Tensor& map) const {
    const Tensor x = tokens_of(map);
    const Tensor y = reduce ? attn(x, tokens_of(norm((*reduce)(map)))) : attn(x);
    return reshape(drop(y), map.shape());
  }
};

// Two 1 x 1 convolutions with an activation between, in version 2 behind a depthwise 3 x 3. The
// names are positions in a sequence that holds activation and dropout too.
struct MixFeedForward {
  Conv2d expand, reduce;
  std::optional<Conv2d> mix;
  ActOptions act;
  Dropout drop;

  MixFeedForward(const Scope& s, const BlockSettings& o)
      : expand(s / "layers" / 0, {.in = o.channels, .out = o.hidden}),
        reduce(s / "layers" / (o.conv_ffn ? 4 : 3), {.in = o.hidden, .out = o.channels}),
        act(o.act),
        drop(s / "drop", o.drop) {
    if (o.conv_ffn)
      mix.emplace(s / "layers" / 1,
                  ConvOptions::square(o.hidden, o.hidden, 3, 1, int(o.hidden), /*bias=*/true));
  }
  Tensor operator()(const Tensor& map) const {
    Tensor x = expand(map);
    if (mix) x = (*mix)(x);
    return drop(reduce(drop(activate(act, x))));
  }
};

struct PvtBlock {
  Norm norm1, norm2;
  ReducedAttention attn;
  MixFeedForward ffn;
  DropPath attn_path, ffn_path;

  PvtBlock(const Scope& s, const BlockSettings& o)
      : norm1(s / "norm1", o.channels, o.norm),
        norm2(s / "norm2", o.channels, o.norm),
        attn(s / "attn", o),
        ffn(s / "ffn", o),
        attn_path(s / "attn" / "dropout_layer", o.path),
        ffn_path(s / "ffn" / "dropout_layer", o.path) {}
  Tensor operator()(const Tensor& x) const {
    const Tensor y = x + attn_path(attn(norm1(x)));
    return y + ffn_path(ffn(norm2(y)));
  }
};

struct PvtStage {
  PatchEmbed embed;
  Tensor position;  // (1, h, w, C) or undefined
  Dropout drop;
  std::vector<PvtBlock> blocks;
  Norm norm;

  Tensor operator()(const Tensor& map) const {
    Tensor x = embed(map);
    if (position.defined()) {
      const bool fits = position.size(1) == x.size(1) && position.size(2) == x.size(2);
      x = drop(x +
               (fits ? position : resize(position, x.size(1), x.size(2), Interpolation::bilinear)));
    }
    for (const PvtBlock& block : blocks) x = block(x);
    return norm(x);
  }
};

class PyramidVisionTransformer : public Backbone {
 public:
  PyramidVisionTransformer(const Config& c, const Scope& s, const PvtOptions& o);
  Features operator()(const Tensor& image) const override;

 private:
  std::vector<PvtStage> stages_;
  std::vector<int> out_indices_;
};

// One number per stage.
std::vector<int> per_stage(const Config& c, const char* key, const std::vector<int>& fallback,
                           size_t stages) {
  auto values = c.get(key, fallback);
  check_input(values.size() >= stages, c.path(), ".", key, ": ", values.size(), " values for ",
              stages, " stages");
  return values;
}

void initialise(const Scope& s) {
  const auto everywhere = [&](const char* layer, const char* leaf, const Init& how) {
    s.store().initialise_layers(s.path(), layer, leaf, how);
  };
  everywhere("Linear", "weight", init::truncated_normal(0, 0.02));
  everywhere("Linear", "bias", init::constant(0));
  // Kaiming's fan out, which a depthwise convolution has of one channel only.
  initialise_convolutions(s, [](const Tensor& weight, Random& random) {
    const double area = double(weight.size(1) * weight.size(2));
    const double fan = weight.size(3) == 1 ? area : area * double(weight.size(0));
    init::normal(0, std::sqrt(2 / fan))(weight, random);
  });
}

BlockSettings read_blocks(const Config& c, bool conv_ffn) {
  return {.qkv_bias = c.get("qkv_bias", true),
          .conv_ffn = conv_ffn,
          .drop = c.get("drop_rate", 0.0),
          .attn_drop = c.get("attn_drop_rate", 0.0),
          .act = read_act(c, "act_cfg", {ActType::gelu}),
          .norm = read_norm(c, "norm_cfg", {.type = NormType::layer, .eps = 1e-6})};
}

// `embed`: of the patches; `position`: extents of the learned positions, of height 0 for none.
// Blocks have the rates of drop path in `paths`.
PvtStage make_stage(const Scope& s, const ConvOptions& embed, std::array<int64_t, 2> position,
                    BlockSettings b, const std::vector<double>& paths, bool norm_after) {
  const auto [h, w] = position;
  PvtStage stage;
  stage.embed = PatchEmbed(s / 0, embed, /*adaptive=*/false, b.norm);
  if (h > 0) {
    const Scope child = s / 1 / 0;
    stage.position =
        child.parameter_stored_as("pos_embed", {1, h, w, b.channels}, {1, h * w, b.channels},
                                  init::truncated_normal(0, 0.02));
    stage.drop = Dropout(child / "drop", b.drop);
  }
  for (size_t j = 0; j < paths.size(); ++j) {
    b.path = paths[j];
    stage.blocks.emplace_back(s / 1 / (int(j) + (h > 0 ? 1 : 0)), b);
  }
  if (norm_after) stage.norm = Norm(s / 2, b.channels, b.norm);
  return stage;
}

PyramidVisionTransformer::PyramidVisionTransformer(const Config& c, const Scope& s,
                                                   const PvtOptions& o) {
  const auto layers = c.get("num_layers", std::vector<int>{3, 4, 6, 3});
  const auto count = size_t(c.get("num_stages", 4));
  check_input(layers.size() == count, c.path(), ".num_layers: ", layers.size(), " values for ",
              count, " stages");
  const auto heads = per_stage(c, "num_heads", {1, 2, 5, 8}, count);
  const auto strides = per_stage(c, "strides", {4, 2, 2, 2}, count);
  const auto reductions = per_stage(c, "sr_ratios", {8, 4, 2, 1}, count);
  const auto ratios = per_stage(c, "mlp_ratios", {8, 8, 4, 4}, count);
  const auto image = c.has("pretrain_img_size") ? read_pair(c.at("pretrain_img_size"))
                                                : std::array<int, 2>{224, 224};
  out_indices_ = c.get("out_indices", std::vector<int>{0, 1, 2, 3});
  for (int i : out_indices_)
    check_input(i >= 0 && size_t(i) < count, c.path(), ".out_indices: no stage ", i, " of ", count);
  for (const char* key : {"convert_weights", "with_cp"}) c.find(key);  // of no effect on numbers
  BlockSettings b = read_blocks(c, o.conv_ffn);
  const auto base = c.get<int64_t>("embed_dims", 64);
  const double path = c.get("drop_path_rate", 0.1);
  const int total = std::accumulate(layers.begin(), layers.end(), 0);
  int index = 0, stride = 1;
  auto in = c.get<int64_t>("in_channels", 3);
  for (size_t i = 0; i < count; ++i, in = b.channels) {
    b.channels = base * heads[i];
    b.hidden = b.channels * ratios[i];
    b.heads = heads[i];
    b.reduction = reductions[i];
    stride *= strides[i];
    std::vector<double> paths;
    for (int j = 0; j < layers[i]; ++j, ++index)
      paths.push_back(total > 1 ? path * index / (total - 1) : 0);
    const int k = o.patch_sizes.at(i), p = o.paddings.at(i);
    const ConvOptions embed{.in = in,
                            .out = b.channels,
                            .kernel = {k, k},
                            .stride = {strides[i], strides[i]},
                            .padding = {p, p}};
    const int64_t rows = o.position ? image[0] / stride : 0;
    stages_.push_back(make_stage(s / "layers" / int(i), embed, {rows, image[1] / stride}, b, paths,
                                 o.norm_after));
  }
  initialise(s);
}

Features PyramidVisionTransformer::operator()(const Tensor& image) const {
  Features out;
  Tensor x = image;
  for (size_t i = 0; i < stages_.size(); ++i) {
    x = stages_[i](x);
    if (std::ranges::find(out_indices_, int(i)) != out_indices_.end()) out.push_back(x);
  }
  return out;
}

}  // namespace

std::unique_ptr<Backbone> make_pvt(const Config& c, const Scope& s) {
  PvtOptions o;
  o.patch_sizes = c.get("patch_sizes", o.patch_sizes);
  o.paddings = c.get("paddings", o.paddings);
  o.position = c.get("use_abs_pos_embed", o.position);
  check_input(o.patch_sizes.size() >= size_t(c.get("num_stages", 4)) &&
                  o.paddings.size() >= size_t(c.get("num_stages", 4)),
              c.path(), ": patch_sizes and paddings need one value per stage");
  o.norm_after = c.get("norm_after_stage", o.norm_after);
  o.conv_ffn = c.get("use_conv_ffn", o.conv_ffn);
  return std::make_unique<PyramidVisionTransformer>(c, s, o);
}

// What the first version leaves to the config is settled here.
std::unique_ptr<Backbone> make_pvt_v2(const Config& c, const Scope& s) {
  const PvtOptions o{.patch_sizes = {7, 3, 3, 3},
                     .paddings = {3, 1, 1, 1},
                     .position = false,
                     .norm_after = true,
                     .conv_ffn = true};
  return std::make_unique<PyramidVisionTransformer>(c, s, o);
}

}  // namespace limber
