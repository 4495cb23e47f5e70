#include "nn/blocks/detr.h"

#include <cmath>
#include <vector>

namespace limber {

MultiheadAttention::MultiheadAttention(const Scope& s, const MultiheadAttentionOptions& o)
    : options_(o) {
  check_input(o.heads > 0 && o.channels % o.heads == 0, s.path(), ": ", o.channels,
              " channels do not divide into ", o.heads, " heads");
  const Scope attn = s / "attn";
  attn.layer("MultiheadAttention");
  weight_ = attn.parameter("in_proj_weight", {3 * o.channels, o.channels},
                           init::xavier(1, init::Distribution::uniform));
  bias_ = attn.parameter("in_proj_bias", {3 * o.channels}, init::constant(0));
  out_ = Linear(attn / "out_proj", o.channels, o.channels);
  attn.store().initialise((attn / "out_proj").path() + ".bias", init::constant(0));
  attention_drop_ = Dropout(s / "attention_drop", o.attention_drop);
  drop_ = Dropout(s / "proj_drop", o.drop);
}

Tensor MultiheadAttention::projected(const Tensor& x, int64_t which) const {
  const int64_t C = options_.channels, H = options_.heads, begin = which * C;
  const Tensor y =
      linear(x, slice(weight_, 0, begin, begin + C), slice(bias_, 0, begin, begin + C));
  return permute(reshape(y, {x.size(0), x.size(1), H, C / H}), {0, 2, 1, 3});
}

Tensor MultiheadAttention::operator()(const Tensor& query, const Tensor& key, const Tensor& value,
                                      const Tensor& bias) const {
  const int64_t N = query.size(0), L = query.size(1), C = options_.channels;
  const double scale = 1 / std::sqrt(double(C / options_.heads));
  const Tensor q = projected(query, 0), k = projected(key, 1), v = projected(value, 2);
  Tensor y;
  if (options_.attention_drop > 0) {
    Tensor logits = matmul(q, k, false, /*trans_b=*/true) * scale;
    if (bias.defined()) logits = logits + bias;
    y = matmul(attention_drop_(softmax(logits)), v);
  } else {
    y = attention(q, k, v, bias, scale);
  }
  return drop_(out_(reshape(permute(y, {0, 2, 1, 3}), {N, L, C})));
}

DetrEncoderLayer::DetrEncoderLayer(const Scope& s, const DetrEncoderOptions& o)
    : attention_(s / "self_attn", o.attention),
      ffn_(s / "ffn", o.attention.channels, o.hidden, o.act, o.ffn_drop),
      norm1_(s / "norms" / 0, o.attention.channels),
      norm2_(s / "norms" / 1, o.attention.channels) {}

Tensor DetrEncoderLayer::operator()(const Tensor& x, const Tensor& position,
                                    const Tensor& bias) const {
  const Tensor placed = position.defined() ? x + position : x;
  const Tensor y = norm1_(x + attention_(placed, placed, x, bias));
  return norm2_(y + ffn_(y));
}

SineEncoding::SineEncoding(const Scope& s, int64_t channels, double temperature, bool learnable) {
  check_input(channels > 0 && channels % 2 == 0 && temperature > 0, s.path(),
              ": an encoding needs an even number of channels and a temperature above 0");
  std::vector<float> values;
  for (int64_t i = 0; i < channels / 2; ++i)
    values.push_back(float(std::pow(temperature, double(float(i) / float(channels / 2)))));
  const Tensor rows = Tensor::from(values, {channels / 2});
  if (learnable) {
    wavelengths_ = s.parameter("dim_t", rows.shape(), [rows](const Tensor& t, Random&) {
      t.alias(t.shape()).copy_from(rows);
    });
  } else {
    wavelengths_ = rows.to(s.store().dtype());
    s.constant("dim_t", wavelengths_);
  }
}

Tensor SineEncoding::operator()(const Tensor& positions) const {
  Shape spread = positions.shape();
  spread = spread.inserted(spread.rank(), 1);
  const Tensor angles = reshape(positions, spread) / wavelengths_;
  return concat({cos(angles), sin(angles)}, -1);
}

Tensor SineEncoding::grid(int64_t H, int64_t W) const {
  std::vector<float> rows, columns;
  for (int64_t i = 0; i < H * W; ++i) {
    rows.push_back(float(i / W));
    columns.push_back(float(i % W));
  }
  const auto encoded = [&](const std::vector<float>& places) {
    return (*this)(Tensor::from(places, {1, H * W}).to(wavelengths_.dtype()));
  };
  return concat({encoded(rows), encoded(columns)}, -1);
}

}  // namespace limber
