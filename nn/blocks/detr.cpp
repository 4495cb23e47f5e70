#include "nn/blocks/detr.h"

#include <cmath>
#include <vector>

namespace limber {

DetrEncoderLayer::DetrEncoderLayer(const Scope& s, const DetrEncoderOptions& o)
    : attention_(s / "self_attn" / "attn", o.channels, o.heads, /*bias=*/true, o.attention_drop),
      drop_(s / "self_attn" / "proj_drop", o.drop),
      ffn_(s / "ffn", o.channels, o.hidden, o.act, o.ffn_drop),
      norm1_(s / "norms" / 0, o.channels),
      norm2_(s / "norms" / 1, o.channels) {}

Tensor DetrEncoderLayer::operator()(const Tensor& x, const Tensor& position,
                                    const Tensor& bias) const {
  const Tensor placed = position.defined() ? x + position : x;
  const Tensor y = norm1_(x + drop_(attention_(placed, placed, x, bias)));
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
