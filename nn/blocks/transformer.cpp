#include "nn/blocks/transformer.h"

#include <cmath>

namespace limber {

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& bias,
                 double scale, const Dropout& drop) {
  if (drop.p == 0 || !*drop.training) return attention(q, k, v, bias, scale);
  Tensor scores = matmul(q * scale, k, /*trans_a=*/false, /*trans_b=*/true);
  if (bias.defined()) scores = scores + bias;
  return matmul(drop(softmax(scores)), v);
}

SelfAttention::SelfAttention(const Scope& s, const SelfAttentionOptions& o)
    : options_(o),
      qkv_(s / "qkv", o.channels, 3 * o.channels, o.qkv_bias),
      proj_(s / "proj", o.channels, o.channels),
      drop_(s / "proj_drop", o.drop) {
  check_input(o.heads > 0 && o.channels % o.heads == 0, s.path(), ": ", o.channels,
              " channels do not divide into ", o.heads, " heads");
  if (options_.scale == 0) options_.scale = 1 / std::sqrt(double(o.channels / o.heads));
}

Tensor SelfAttention::operator()(const Tensor& x, const Tensor& bias) const {
  const int64_t N = x.size(0), L = x.size(1), C = options_.channels, H = options_.heads;
  const Tensor qkv = permute(reshape(qkv_(x), {N, L, 3, H, C / H}), {2, 0, 3, 1, 4});
  const auto part = [&](int64_t i) { return reshape(slice(qkv, 0, i, i + 1), {N, H, L, C / H}); };
  const Tensor y = attention(part(0), part(1), part(2), bias, options_.scale);
  return drop_(proj_(reshape(permute(y, {0, 2, 1, 3}), {N, L, C})));
}

MultiheadAttention::MultiheadAttention(const Scope& s, int64_t channels, int heads, bool bias,
                                       double attn_drop)
    : heads_(heads) {
  check_input(heads > 0 && channels % heads == 0, s.path(), ": ", channels,
              " channels do not divide into ", heads, " heads");
  in_weight_ = s.parameter("in_proj_weight", {3 * channels, channels},
                           init::xavier(1, init::Distribution::uniform));
  if (bias) in_bias_ = s.parameter("in_proj_bias", {3 * channels}, init::constant(0));
  out_ = Linear(s / "out_proj", channels, channels, bias);
  s.store().initialise_layers((s / "out_proj").path(), "Linear", "bias", init::constant(0));
  drop_ = Dropout(s / "attn_drop", attn_drop);
}

Tensor MultiheadAttention::operator()(const Tensor& query, const Tensor& key, const Tensor& value,
                                      const Tensor& bias) const {
  const int64_t N = query.size(0), C = query.size(2), H = heads_;
  // Neighbours among query, key and value that are one tensor are projected in one product.
  const Tensor* from[] = {&query, &key, &value};
  Tensor projected[3];  // (N, heads, L or S, D)
  for (int64_t first = 0, last; first < 3; first = last) {
    const Tensor& tokens = *from[first];
    for (last = first + 1; last < 3 && from[last]->id() == tokens.id();) ++last;
    const Tensor weight = slice(in_weight_, 0, first * C, last * C);
    const Tensor offset = in_bias_.defined() ? slice(in_bias_, 0, first * C, last * C) : Tensor();
    const Tensor y =
        reshape(linear(tokens, weight, offset), {N, tokens.size(1), last - first, H, C / H});
    const Tensor all = permute(y, {2, 0, 3, 1, 4});
    for (int64_t i = first; i < last; ++i)
      projected[i] =
          reshape(slice(all, 0, i - first, i - first + 1), {N, H, tokens.size(1), C / H});
  }
  const Tensor y = attention(projected[0], projected[1], projected[2], bias,
                             1 / std::sqrt(double(C / H)), drop_);
  return out_(reshape(permute(y, {0, 2, 1, 3}), {N, query.size(1), C}));
}

FeedForward::FeedForward(const Scope& s, int64_t channels, int64_t hidden, const ActOptions& act,
                         double drop)
    : expand_(s / "layers" / 0 / 0, channels, hidden),
      reduce_(s / "layers" / 1, hidden, channels),
      act_(act),
      drop_(s / "layers" / 2, drop) {}

Tensor FeedForward::operator()(const Tensor& x) const {
  return drop_(reduce_(drop_(activate(act_, expand_(x)))));
}

Mlp::Mlp(const Scope& s, int64_t in, int64_t hidden, int64_t out, int layers) {
  for (int i = 0; i < layers; ++i)
    layers_.emplace_back(s / "layers" / i, i == 0 ? in : hidden, i + 1 < layers ? hidden : out);
}

Tensor Mlp::operator()(Tensor x) const {
  for (size_t i = 0; i < layers_.size(); ++i) x = i == 0 ? layers_[i](x) : layers_[i](relu(x));
  return x;
}

}  // namespace limber
