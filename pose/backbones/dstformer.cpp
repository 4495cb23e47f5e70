#include "pose/backbones/dstformer.h"

#include "nn/blocks/transformer.h"
#include "pose/core/layer_config.h"

namespace limber {
namespace {

struct Options {
  int64_t channels = 256, hidden = 0;
  int heads = 8;
  bool qkv_bias = true;
  double scale = 0, drop = 0;
};

// (N, A, B, C) -> (N, B, A, C): what is attended to changes from joints to frames and back.
Tensor swapped(const Tensor& x) { return permute(x, {0, 2, 1, 3}); }

// Self-attention over dimension 2 of (N, A, B, C), then two linear layers, both with residuals.
// Parameters: norm1_s, attn_s, norm2_s, mlp_s (space) or ..._t (time).
class HalfBlock {
 public:
  HalfBlock(const Scope& s, const std::string& suffix, const Options& o, double path)
      : norm1_(s / ("norm1" + suffix), o.channels, 1e-6),
        norm2_(s / ("norm2" + suffix), o.channels, 1e-6),
        attn_(s / ("attn" + suffix), {.channels = o.channels,
                                      .heads = o.heads,
                                      .qkv_bias = o.qkv_bias,
                                      .scale = o.scale,
                                      .drop = o.drop}),
        expand_(s / ("mlp" + suffix) / 0, o.channels, o.hidden),
        reduce_(s / ("mlp" + suffix) / 2, o.hidden, o.channels),
        drop_(s / ("mlp" + suffix) / 3, o.drop),
        drop_path_(s / ("drop_path" + suffix), path) {}

  Tensor operator()(const Tensor& x) const {
    const int64_t N = x.size(0), A = x.size(1), B = x.size(2), C = x.size(3);
    // Samples are dropped whole, frames or joints alike: (N A, B, C).
    Tensor y = reshape(x, {N * A, B, C});
    y = y + drop_path_(attn_(norm1_(y)));
    y = y + drop_path_(drop_(reduce_(gelu(expand_(norm2_(y))))));
    return reshape(y, x.shape());
  }

 private:
  LayerNorm norm1_, norm2_;
  SelfAttention attn_;
  Linear expand_, reduce_;
  Dropout drop_;
  DropPath drop_path_;
};

struct Block {
  HalfBlock space, time;

  Block(const Scope& s, const Options& o, double path)
      : space(s, "_s", o, path), time(s, "_t", o, path) {}
  // x, result: (N, T, K, C)
  Tensor space_then_time(const Tensor& x) const { return swapped(time(swapped(space(x)))); }
  Tensor time_then_space(const Tensor& x) const { return space(swapped(time(swapped(x)))); }
};

class DSTFormer : public Backbone {
 public:
  DSTFormer(const Config& c, const Scope& s);
  Features operator()(const Tensor& x) const override;

 private:
  Tensor fused(const Tensor& st, const Tensor& ts, size_t i) const;
  int64_t in_, joints_, frames_;
  Tensor temporal_, spatial_;
  Linear embed_;
  Dropout drop_;
  std::vector<Block> st_, ts_;
  std::vector<Linear> fuse_;  // empty: streams are averaged
  LayerNorm norm_;
};

DSTFormer::DSTFormer(const Config& c, const Scope& s)
    : in_(c.get<int64_t>("in_channels")),
      joints_(c.get<int64_t>("num_keypoints", 17)),
      frames_(c.get<int64_t>("seq_len", 243)) {
  Options o{.channels = c.get<int64_t>("feat_size", 256),
            .heads = c.get("num_heads", 8),
            .qkv_bias = c.get("qkv_bias", true),
            .scale = c.get("qk_scale", 0.0),
            .drop = c.get("drop_rate", 0.0)};
  o.hidden = int64_t(double(o.channels) * c.get("mlp_ratio", 4.0));
  check_input(c.get("attn_drop_rate", 0.0) == 0, c.path(),
              ".attn_drop_rate: only 0 is supported; drop_rate and drop_path_rate are there");
  const int depth = c.get("depth", 5);
  check_input(depth > 0 && frames_ > 0 && joints_ > 0, c.path(),
              ": depth, seq_len and num_keypoints must be positive");
  const Init narrow = init::truncated_normal(0, 0.02);
  temporal_ = s.parameter("temp_embed", {1, frames_, 1, o.channels}, narrow);
  spatial_ = s.parameter("spat_embed", {1, joints_, o.channels}, narrow);
  embed_ = Linear(s / "joints_embed", in_, o.channels);
  drop_ = Dropout(s / "pos_drop", o.drop);
  const double path = c.get("drop_path_rate", 0.0);
  const auto make_blocks = [&](const char* name, std::vector<Block>& blocks) {
    for (int i = 0; i < depth; ++i)
      blocks.emplace_back(s / name / i, o, depth > 1 ? path * i / (depth - 1) : 0);
  };
  make_blocks("blocks_st", st_);
  make_blocks("blocks_ts", ts_);
  norm_ = LayerNorm(s / "norm", o.channels, 1e-6);
  s.store().initialise_layers(s.path(), "Linear", "weight", narrow);
  s.store().initialise_layers(s.path(), "Linear", "bias", init::constant(0));
  if (!c.get("att_fuse", true)) return;
  for (int i = 0; i < depth; ++i) {
    fuse_.emplace_back(s / "attn_regress" / i, 2 * o.channels, 2);
    const std::string path_of = (s / "attn_regress" / i).path();
    s.store().initialise(path_of + ".weight", init::constant(0));
    s.store().initialise(path_of + ".bias", init::constant(0.5));
  }
}

// The streams weighed by what a linear layer says of both.
Tensor DSTFormer::fused(const Tensor& st, const Tensor& ts, size_t i) const {
  if (fuse_.empty()) return (st + ts) * 0.5;
  const Tensor alpha = softmax(fuse_[i](concat({st, ts}, 3)));
  return st * slice(alpha, 3, 0, 1) + ts * slice(alpha, 3, 1, 2);
}

Features DSTFormer::operator()(const Tensor& input) const {
  const Tensor x = input.rank() == 3 ? reshape(input, input.shape().inserted(0, 1)) : input;
  check(x.rank() == 4 && x.size(2) == joints_ && x.size(3) == in_ && x.size(1) <= frames_,
        "DSTFormer: input ", input.shape(), ", (N, up to ", frames_, ", ", joints_, ", ", in_,
        ") is wanted");
  Tensor y = embed_(x) + spatial_ + slice(temporal_, 1, 0, x.size(1));
  y = drop_(y);
  for (size_t i = 0; i < st_.size(); ++i)
    y = fused(st_[i].space_then_time(y), ts_[i].time_then_space(y), i);
  return {norm_(y)};
}

}  // namespace

std::unique_ptr<Backbone> make_dstformer(const Config& config, const Scope& scope) {
  return std::make_unique<DSTFormer>(config, scope);
}

}  // namespace limber
