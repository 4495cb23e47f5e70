#include "nn/blocks/deformable_attention.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tensor/ops/deform_attention.h"

namespace limber {
namespace {

// Head m looks at angle 2 pi m / heads, point p at a distance of p + 1 pixels (in the larger of x
// and y).
Init spread_points(const DeformableAttentionOptions& o) {
  return [o](const Tensor& bias, Random&) {
    float* to = bias.data<float>();
    for (int m = 0; m < o.heads; ++m) {
      const double angle = 2 * std::numbers::pi * m / o.heads;
      const double x = std::cos(angle), y = std::sin(angle);
      const double unit = std::max(std::abs(x), std::abs(y));
      for (int l = 0; l < o.levels; ++l)
        for (int p = 0; p < o.points; ++p) {
          *to++ = float(x / unit * (p + 1));
          *to++ = float(y / unit * (p + 1));
        }
    }
  };
}

}  // namespace

DeformableAttention::DeformableAttention(const Scope& s, const DeformableAttentionOptions& o)
    : options_(o) {
  check_input(o.heads > 0 && o.channels % o.heads == 0, s.path(), ": ", o.channels,
              " channels do not divide into ", o.heads, " heads");
  check_input(o.levels > 0 && o.points > 0, s.path(), ": ", o.levels, " levels of ", o.points,
              " points");
  const int64_t samples = int64_t(o.heads) * o.levels * o.points;
  offsets_ = Linear(s / "sampling_offsets", o.channels, 2 * samples);
  weights_ = Linear(s / "attention_weights", o.channels, samples);
  value_ = Linear(s / "value_proj", o.channels, o.channels);
  out_ = Linear(s / "output_proj", o.channels, o.channels);
  drop_ = Dropout(s / "dropout", o.drop);
  const auto fill = [&](const char* name, const Init& init) {
    s.store().initialise(s.path() + "." + name, init);
  };
  fill("sampling_offsets.weight", init::constant(0));
  fill("sampling_offsets.bias", spread_points(o));
  fill("attention_weights.weight", init::constant(0));
  fill("attention_weights.bias", init::constant(0));
  for (const char* layer : {"value_proj", "output_proj"}) {
    fill((std::string(layer) + ".weight").c_str(), init::xavier(1, init::Distribution::uniform));
    fill((std::string(layer) + ".bias").c_str(), init::constant(0));
  }
}

Tensor DeformableAttention::locations(const Tensor& query, const Tensor& references,
                                      const MapSizes& maps) const {
  const int64_t N = query.size(0), Q = query.size(1), L = options_.levels, P = options_.points;
  const Tensor offsets = reshape(offsets_(query), {N, Q, options_.heads, L, P, 2});
  const Tensor centres = reshape(slice(references, 3, 0, 2), {N, Q, 1, L, 1, 2});
  if (references.size(3) == 4) {
    const Tensor sizes = reshape(slice(references, 3, 2, 4), {N, Q, 1, L, 1, 2});
    return centres + offsets * sizes * (0.5 / double(P));
  }
  std::vector<double> pixel;
  for (const auto& [h, w] : maps) pixel.insert(pixel.end(), {1 / double(w), 1 / double(h)});
  return centres + offsets * Tensor::from(pixel, {1, 1, 1, L, 1, 2}).to(query.dtype());
}

Tensor DeformableAttention::operator()(const Tensor& query, const Tensor& value, const Tensor& keep,
                                       const Tensor& references, const MapSizes& maps) const {
  const int64_t N = query.size(0), Q = query.size(1), M = options_.heads;
  const int64_t L = options_.levels, P = options_.points;
  check(int64_t(maps.size()) == L && references.rank() == 4 && references.size(2) == L &&
            (references.size(3) == 2 || references.size(3) == 4),
        "deformable attention: ", maps.size(), " maps and references ", references.shape(), " for ",
        L, " levels");
  Tensor v = value_(value);
  if (keep.defined()) v = v * keep;
  v = reshape(v, {N, value.size(1), M, options_.channels / M});
  const Tensor weights =
      reshape(softmax(reshape(weights_(query), {N, Q, M, L * P})), {N, Q, M, L, P});
  const Tensor y = multi_scale_deform_attn(v, locations(query, references, maps), weights, maps);
  return drop_(out_(y));
}

}  // namespace limber
