#include "nn/blocks/gau.h"

#include <cmath>

namespace limber {

Tensor rotary_embedding(const Tensor& x) {
  const int64_t K = x.size(-2), half = x.size(-1) / 2;
  std::vector<float> cosines, sines;
  for (int64_t k = 0; k < K; ++k)
    for (int64_t i = 0; i < half; ++i) {
      const double angle = double(k) * std::pow(10000.0, double(i) / double(half));
      cosines.push_back(float(std::cos(angle)));
      sines.push_back(float(std::sin(angle)));
    }
  const Tensor cosine = Tensor::from(cosines, {K, half}).to(x.dtype());
  const Tensor sine = Tensor::from(sines, {K, half}).to(x.dtype());
  const std::vector<Tensor> parts = chunk(x, 2, -1);
  return concat({parts[0] * cosine - parts[1] * sine, parts[1] * cosine + parts[0] * sine}, -1);
}

Gau::Gau(const Scope& s, const GauOptions& o)
    : options_(o), e_(int64_t(double(o.in) * o.expansion)), norm_(s / "ln", o.eps) {
  const Init uniform = init::uniform(0, 1);
  if (o.relative_bias && !o.cross) w_ = s.parameter("w", {2 * o.tokens - 1}, uniform);
  if (o.relative_bias && o.cross) {
    a_ = s.parameter("a", {1, o.s}, uniform);
    b_ = s.parameter("b", {1, o.s}, uniform);
  }
  o_ = Linear(s / "o", e_, o.out, o.bias);
  uv_ = Linear(s / "uv", o.in, (o.cross ? 1 : 2) * e_ + o.s, o.bias);
  if (o.cross) {
    k_fc_ = Linear(s / "k_fc", o.in, o.s, o.bias);
    v_fc_ = Linear(s / "v_fc", o.in, e_, o.bias);
  } else {
    gamma_ = s.parameter("gamma", {2, o.s}, uniform);
    beta_ = s.parameter("beta", {2, o.s}, uniform);
  }
  if (o.in == o.out) scale_ = (s / "res_scale").parameter("scale", {o.in}, init::constant(1));
  for (const char* layer : {"uv", "k_fc", "v_fc"})
    s.store().initialise_layers((s / layer).path(), "Linear", "weight",
                                init::xavier(1, init::Distribution::uniform));
  dropout_ = Dropout(s / "dropout", o.dropout);
  drop_path_ = DropPath(s / "drop_path", o.drop_path);
}

Tensor Gau::relative_bias(int64_t queries, int64_t keys) const {
  if (options_.cross) {
    const auto tokens = [this](const Tensor& row, int64_t count) {
      return rotary_embedding(expand(row, {count, options_.s}));
    };
    return matmul(tokens(a_, queries), tokens(b_, keys), false, /*trans_b=*/true);
  }
  check(queries <= options_.tokens, "Gau: ", queries, " tokens, the relative bias knows ",
        options_.tokens);
  std::vector<int64_t> distance;
  for (int64_t q = 0; q < queries; ++q)
    for (int64_t k = 0; k < keys; ++k) distance.push_back(queries - 1 + k - q);
  const Tensor index = Tensor::from(distance, {queries * keys});
  return reshape(index_select(w_, 0, index), {queries, keys});
}

Tensor Gau::attend(const Tensor& u, const Tensor& q, const Tensor& k, const Tensor& v) const {
  Tensor qk = matmul(q, k, false, /*trans_b=*/true);
  if (options_.relative_bias) qk = qk + relative_bias(q.size(1), k.size(1));
  const Tensor kernel = dropout_(square(relu(qk / std::sqrt(double(options_.s)))));
  return o_(u * matmul(kernel, v));
}

Tensor Gau::with_shortcut(const Tensor& x, const Tensor& main) const {
  const Tensor branch = drop_path_(main);
  return scale_.defined() ? x * scale_ + branch : branch;
}

Tensor Gau::operator()(const Tensor& x, const Tensor& position) const {
  check(!options_.cross, "Gau: cross-attention needs keys and values");
  const std::vector<int64_t> widths{e_, e_, options_.s};
  const std::vector<Tensor> uv = split(activate(options_.act, uv_(norm_(x))), widths, -1);
  const auto turned = [&](int64_t which) {
    const Tensor gamma = slice(gamma_, 0, which, which + 1),
                 beta = slice(beta_, 0, which, which + 1);
    Tensor t = uv[2] * gamma + beta;
    if (options_.rotary) t = rotary_embedding(t);
    return position.defined() ? t + position : t;
  };
  return with_shortcut(x, attend(uv[0], turned(0), turned(1), uv[1]));
}

Tensor Gau::operator()(const Tensor& x, const Tensor& keys, const Tensor& values) const {
  check(options_.cross, "Gau: made for self-attention, given keys and values");
  const std::vector<int64_t> widths{e_, options_.s};
  const std::vector<Tensor> uq = split(activate(options_.act, uv_(norm_(x))), widths, -1);
  Tensor q = uq[1], k = k_fc_(keys);
  if (options_.rotary) {
    q = rotary_embedding(q);
    k = rotary_embedding(k);
  }
  return with_shortcut(x, attend(uq[0], q, k, v_fc_(values)));
}

}  // namespace limber
