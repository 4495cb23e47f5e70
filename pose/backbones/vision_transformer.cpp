#include "pose/backbones/vision_transformer.h"

#include "nn/blocks/transformer.h"
#include "pose/core/layer_config.h"

namespace limber {
namespace {

struct Arch {
  const char* name;
  int64_t channels;
  int layers, heads;
  int64_t hidden;
};

constexpr Arch kArchs[] = {
    {"small", 768, 8, 8, 2304},       {"base", 768, 12, 12, 3072},
    {"large", 1024, 24, 16, 4096},    {"huge", 1280, 32, 16, 5120},
    {"deit-tiny", 192, 12, 3, 768},   {"deit-small", 384, 12, 6, 1536},
    {"deit-base", 768, 12, 12, 3072},
};

Arch read_arch(const Config& c) {
  if (c.is_object()) {
    const Arch arch{"", c.get<int64_t>("embed_dims"), c.get<int>("num_layers"),
                    c.get<int>("num_heads"), c.get<int64_t>("feedforward_channels")};
    c.expect_all_read();
    return arch;
  }
  const auto name = c.as<std::string>();
  std::vector<std::string> known;
  for (const Arch& arch : kArchs) {
    if (name == arch.name || (name.size() == 1 && name[0] == arch.name[0])) return arch;
    known.push_back(arch.name);
  }
  fail_input(c.path(), ": unknown architecture \"", name, "\"", did_you_mean(name, known));
}

struct EncoderLayer {
  Norm ln1, ln2;
  SelfAttention attn;
  FeedForward ffn;
  DropPath drop_path;
  EncoderLayer(const Scope& s, const Arch& a, const NormOptions& norm, bool qkv_bias, double drop,
               double path)
      : ln1(s / "ln1", a.channels, norm),
        ln2(s / "ln2", a.channels, norm),
        attn(s / "attn",
             {.channels = a.channels, .heads = a.heads, .qkv_bias = qkv_bias, .drop = drop}),
        ffn(s / "ffn", a.channels, a.hidden, {ActType::gelu}, drop),
        drop_path(s / "drop_path", path) {}
  Tensor operator()(const Tensor& x) const {
    const Tensor y = x + drop_path(attn(ln1(x)));
    return y + drop_path(ffn(ln2(y)));
  }
};

class VisionTransformer : public Backbone {
 public:
  VisionTransformer(const Config& c, const Scope& s);
  Features operator()(const Tensor& image) const override;

 private:
  Conv2d embed(const Config& c, const Scope& s);
  Tensor position(int64_t height, int64_t width) const;
  Tensor output(const Tensor& x, int64_t height, int64_t width) const;
  Arch arch_;
  std::array<int64_t, 2> grid_{};  // of patches, for which the position embedding was made
  Conv2d projection_;
  bool cls_ = false, final_norm_ = true;
  std::string out_type_;
  Tensor cls_token_, pos_embed_;
  Dropout drop_;
  std::vector<EncoderLayer> layers_;
  std::vector<int> out_indices_;
  Norm ln1_;
};

// The patch embedding, and the grid that it makes of img_size.
Conv2d VisionTransformer::embed(const Config& c, const Scope& s) {
  const auto size = c.has("img_size") ? read_pair(c.at("img_size")) : std::array<int, 2>{224, 224};
  const int patch = c.get("patch_size", 16);
  ConvOptions o{.in = c.get<int64_t>("in_channels", 3),
                .out = arch_.channels,
                .kernel = {patch, patch},
                .stride = {patch, patch}};
  if (c.has("patch_cfg")) {
    const Config patch_cfg = c.at("patch_cfg");
    if (patch_cfg.has("kernel_size")) o.kernel = read_pair(patch_cfg.at("kernel_size"));
    if (patch_cfg.has("stride")) o.stride = read_pair(patch_cfg.at("stride"));
    if (patch_cfg.has("padding")) o.padding = read_pair(patch_cfg.at("padding"));
    patch_cfg.expect_all_read();
  }
  for (size_t i : {0, 1}) grid_[i] = (size[i] + 2 * o.padding[i] - o.kernel[i]) / o.stride[i] + 1;
  return Conv2d(s / "patch_embed" / "projection", o);
}

VisionTransformer::VisionTransformer(const Config& c, const Scope& s)
    : arch_(read_arch(c.contains("arch") ? c.at("arch") : Config::value("base"))),
      projection_(embed(c, s)),
      cls_(c.get("with_cls_token", true)),
      final_norm_(c.get("final_norm", true)),
      // output_cls_token: the older form of out_type, which some configs still pass.
      out_type_(c.get<std::string>("out_type",
                                   c.get("output_cls_token", true) ? "cls_token" : "featmap")) {
  check_input(out_type_ == "featmap" || out_type_ == "raw", c.path(), ".out_type: \"featmap\" or ",
              "\"raw\", not \"", out_type_, "\"");
  const Init narrow = init::truncated_normal(0, 0.02);
  const int64_t tokens = grid_[0] * grid_[1] + (cls_ ? 1 : 0);
  if (cls_) cls_token_ = s.parameter("cls_token", {1, 1, arch_.channels}, init::constant(0));
  pos_embed_ = s.parameter("pos_embed", {1, tokens, arch_.channels}, narrow);
  const NormOptions norm = read_norm(c, "norm_cfg", {.type = NormType::layer, .eps = 1e-6});
  const double drop = c.get("drop_rate", 0.0), path = c.get("drop_path_rate", 0.0);
  const bool qkv_bias = c.get("qkv_bias", true);
  drop_ = Dropout(s / "drop_after_pos", drop);
  for (int i = 0; i < arch_.layers; ++i)
    layers_.emplace_back(s / "layers" / i, arch_, norm, qkv_bias, drop,
                         arch_.layers > 1 ? path * i / (arch_.layers - 1) : 0);
  const Config indices = c.find("out_indices");
  if (indices.is_list()) {
    out_indices_ = indices.as<std::vector<int>>();
  } else {
    out_indices_ = {indices.is_null() ? -1 : indices.as<int>()};
  }
  for (int& i : out_indices_) {
    if (i < 0) i += arch_.layers;
    check_input(i >= 0 && i < arch_.layers, c.path(), ".out_indices: no such layer of ",
                arch_.layers);
  }
  if (final_norm_) ln1_ = Norm(s / "ln1", arch_.channels, norm);
  s.store().initialise_layers((s / "layers").path(), "Linear", "weight",
                              init::xavier(1, init::Distribution::uniform));
}

// (1, L, C) for this grid: the learned one, resized where the grid differs.
Tensor VisionTransformer::position(int64_t height, int64_t width) const {
  if (height == grid_[0] && width == grid_[1]) return pos_embed_;
  const int64_t extra = cls_ ? 1 : 0, C = arch_.channels;
  const Tensor map =
      reshape(slice(pos_embed_, 1, extra, extra + grid_[0] * grid_[1]), {1, grid_[0], grid_[1], C});
  const Tensor resized =
      reshape(resize(map, height, width, Interpolation::bicubic), {1, height * width, C});
  return cls_ ? concat({slice(pos_embed_, 1, 0, 1), resized}, 1) : resized;
}

Tensor VisionTransformer::output(const Tensor& x, int64_t height, int64_t width) const {
  if (out_type_ == "raw") return x;
  const Tensor patches = cls_ ? slice(x, 1, 1, x.size(1)) : x;
  return reshape(patches, {x.size(0), height, width, arch_.channels});
}

Features VisionTransformer::operator()(const Tensor& image) const {
  const Tensor map = projection_(image);
  const int64_t N = map.size(0), height = map.size(1), width = map.size(2), C = arch_.channels;
  Tensor x = reshape(map, {N, height * width, C});
  if (cls_) x = concat({expand(cls_token_, {N, 1, C}), x}, 1);
  x = drop_(x + position(height, width));
  Features out;
  for (size_t i = 0; i < layers_.size(); ++i) {
    x = layers_[i](x);
    if (final_norm_ && i + 1 == layers_.size()) x = ln1_(x);
    for (int wanted : out_indices_)
      if (wanted == int(i)) out.push_back(output(x, height, width));
  }
  return out;
}

}  // namespace

std::unique_ptr<Backbone> make_vision_transformer(const Config& config, const Scope& scope) {
  return std::make_unique<VisionTransformer>(config, scope);
}

}  // namespace limber
