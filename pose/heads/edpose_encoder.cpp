#include "pose/heads/edpose_encoder.h"

#include "pose/core/layer_config.h"
#include "tensor/ops.h"

namespace limber {
namespace {

void read_deformable(const Config& c, DeformableAttentionOptions& o) {
  o.channels = c.get("embed_dims", o.channels);
  o.heads = c.get("num_heads", o.heads);
  o.levels = c.get("num_levels", o.levels);
  o.points = c.get("num_points", o.points);
  o.drop = c.get("dropout", o.drop);
  check_input(c.get("value_proj_ratio", 1.0) == 1, c.path(), ".value_proj_ratio: only 1 is known");
  for (const char* key : {"batch_first", "im2col_step", "norm_cfg"}) c.find(key);
  c.expect_all_read();
}

void read_feed_forward(const Config& c, EDPoseLayerOptions& o) {
  o.channels = c.get("embed_dims", o.channels);
  o.hidden = c.get("feedforward_channels", o.hidden);
  o.act = read_act(c, "act_cfg", o.act);
  o.ffn_drop = c.get("ffn_drop", o.ffn_drop);
  check_input(c.get("num_fcs", 2) == 2, c.path(), ".num_fcs: only 2 are known");
  c.expect_all_read();
}

// Attention between queries; returns its width.
int64_t read_self_attention(const Config& c, EDPoseLayerOptions& o) {
  const auto channels = c.get<int64_t>("embed_dims", 256);
  o.self_heads = c.get("num_heads", 8);
  o.self_drop = c.get("attn_drop", 0.0);
  for (const char* key : {"dropout", "proj_drop"})
    check_input(c.get(key, 0.0) == 0, c.path(), ".", key, ": only 0 is known");
  c.find("batch_first");
  c.expect_all_read();
  return channels;
}

}  // namespace

EDPoseLayerOptions read_edpose_layer(const Config& c, const char* attention) {
  EDPoseLayerOptions o;
  const Config deformable = c.find(attention), ffn = c.find("ffn_cfg");
  if (!deformable.is_null()) read_deformable(deformable, o.deformable);
  if (!ffn.is_null()) read_feed_forward(ffn, o);
  int64_t self_channels = o.channels;
  if (std::string_view(attention) != "self_attn_cfg" && c.has("self_attn_cfg"))
    self_channels = read_self_attention(c.at("self_attn_cfg"), o);
  check_input(o.deformable.channels == o.channels && self_channels == o.channels, c.path(),
              ": embed_dims differ: ", self_channels, ", ", o.deformable.channels, " and ",
              o.channels);
  if (c.has("norm_cfg"))
    check_input(read_norm(c.at("norm_cfg")).type == NormType::layer, c.path(),
                ".norm_cfg: only \"LN\" is known");
  c.expect_all_read();
  return o;
}

DeformableEncoder::DeformableEncoder(const Scope& s, int count, const EDPoseLayerOptions& o) {
  for (int i = 0; i < count; ++i) {
    const Scope layer = s / "layers" / i;
    layers_.push_back(
        {DeformableAttention(layer / "self_attn", o.deformable),
         FeedForward(layer / "ffn", o.channels, o.hidden, o.act, o.ffn_drop),
         {LayerNorm(layer / "norms" / 0, o.channels), LayerNorm(layer / "norms" / 1, o.channels)}});
  }
}

Tensor DeformableEncoder::operator()(Tensor tokens, const Tensor& positions,
                                     const TokenMaps& maps) const {
  const Tensor references = token_points(maps);
  for (const Layer& layer : layers_) {
    tokens = layer.norms[0](
        tokens + layer.attention(tokens + positions, tokens, maps.keep, references, maps.sizes));
    tokens = layer.norms[1](tokens + layer.ffn(tokens));
  }
  return tokens;
}

}  // namespace limber
