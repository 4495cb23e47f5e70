#include "nn/blocks/transformer.h"

#include <cmath>

namespace limber {

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

FeedForward::FeedForward(const Scope& s, int64_t channels, int64_t hidden, const ActOptions& act,
                         double drop)
    : expand_(s / "layers" / 0 / 0, channels, hidden),
      reduce_(s / "layers" / 1, hidden, channels),
      act_(act),
      drop_(s / "layers" / 2, drop) {}

Tensor FeedForward::operator()(const Tensor& x) const {
  return drop_(reduce_(drop_(activate(act_, expand_(x)))));
}

}  // namespace limber
