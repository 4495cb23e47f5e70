#include "pose/heads/coordinate_classifier.h"

#include <cmath>
#include <vector>

#include "tensor/ops.h"

namespace limber {
namespace {

constexpr double kLargest = 1e37;
constexpr int64_t kPeopleAtOnce = 128;

// `count` numbers from -0.5 to 0.5 in single precision, bit for bit those of torch.linspace on CPUs
// with AVX2: counted from the nearer end, the first of eight by a fused multiply-add and the others
// by steps from it. A trained classifier knows its bins by these numbers.
Tensor bins(int64_t count, DType dtype) {
  constexpr int64_t kRun = 8;
  const float step = 1.0f / float(count - 1);
  std::vector<float> values;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t first = i / kRun * kRun;
    const float base = first < count / 2 ? std::fma(step, float(first), -0.5f)
                                         : std::fma(-step, float(count - 1 - first), 0.5f);
    values.push_back(base + step * float(i - first));
  }
  return Tensor::from(values, {count}).to(dtype);
}

// Softmax over the last dimension as the reference has it: the divisor is 1e-8 too large, and no
// gradient flows through the maximum.
Tensor distribution(const Tensor& logits) {
  const Tensor bounded = clamp(logits, -5e4, 5e4);
  const Tensor highest = max(bounded, -1, /*keep_dims=*/true);
  const Tensor powers = exp(bounded - highest.alias(highest.shape()));
  return powers / (sum(powers, {-1}, /*keep_dims=*/true) + 1e-8);
}

// gau_cfg; null: all defaults. Sets `adds_position` for pos_enc "add".
GauOptions read_gau_of(const Config& c, int64_t tokens, int64_t channels, bool& adds_position) {
  GauOptions o{.tokens = tokens, .in = channels, .out = channels};
  o.relative_bias = false;
  o.s = c.get<int64_t>("s", 128);
  o.expansion = c.get("expansion_factor", 2.0);
  o.dropout = c.get("dropout_rate", 0.0);
  o.drop_path = c.get("drop_path", 0.0);
  const auto act = c.get<std::string>("act_fn", "SiLU");
  check_input(act == "SiLU" || act == "ReLU", c.where(), ".act_fn: \"SiLU\" or \"ReLU\", not \"",
              act, "\"");
  o.act = {act == "SiLU" ? ActType::silu : ActType::relu};
  const auto position = c.get<std::string>("pos_enc", "add");
  check_input(position == "add" || position == "none", c.where(),
              ".pos_enc: \"add\" or \"none\", not \"", position, "\"");
  adds_position = position == "add";
  if (!c.is_null()) c.expect_all_read();
  return o;
}

}  // namespace

CoordinateClassifier::CoordinateClassifier(const Config& c, const Scope& s, int64_t num_keypoints)
    : keypoints_(num_keypoints), channels_(c.get<int64_t>("feat_channels")) {
  const auto in = c.get<int64_t>("in_channels");
  const auto counts = c.get<std::array<int64_t, 2>>("num_bins");
  check_input(counts[0] > 1 && counts[1] > 1, c.where(), ".num_bins: at least 2 of each");
  const auto encoded = c.get<int64_t>("spe_channels", 128);
  const DType dtype = s.store().dtype();
  x_bins_ = bins(counts[0], dtype);
  y_bins_ = bins(counts[1], dtype);
  s.constant("x_bins", x_bins_);
  s.constant("y_bins", y_bins_);
  encoding_ = SineEncoding(s / "spe", encoded, c.get("spe_temperature", 300.0));
  to_keypoints_ = Linear(s / "pose_to_kpts" / 0, in, channels_ * keypoints_);
  norm_ = BatchNorm(s / "pose_to_kpts" / 1, channels_ * keypoints_);
  x_fc_ = Linear(s / "x_fc", encoded, channels_);
  y_fc_ = Linear(s / "y_fc", encoded, channels_);
  sigma_fc_ = Linear(s / "sigma_fc" / 0, in, keypoints_);
  sigma_scale_ = (s / "sigma_fc" / 2).parameter("scale", {}, init::constant(0.1));
  bool adds_position = false;
  const GauOptions gau = read_gau_of(c.find("gau_cfg"), keypoints_, channels_, adds_position);
  gau_ = Gau(s / "gau", gau);
  if (adds_position) position_ = s.parameter("pos_enc", {keypoints_, gau.s}, init::normal(0, 1));
  c.expect_all_read();
}

Tensor CoordinateClassifier::places(const Tensor& bins, const Tensor& spans, int64_t axis,
                                    const Tensor& origin) const {
  const auto column = [](const Tensor& t, int64_t i) { return slice(t, 1, i, i + 1); };
  Tensor center = column(spans, axis);
  if (origin.defined()) center = center - column(origin, axis);
  return reshape(bins, {1, -1}) * column(spans, axis + 2) + center;
}

CoordinateClassifier::Distributions CoordinateClassifier::distributions(
    const Tensor& vectors, const Tensor& spans, const Tensor& points) const {
  const Tensor tokens =
      gau_(reshape(norm_(to_keypoints_(vectors)), {-1, keypoints_, channels_}), position_);
  const auto along = [&](const Tensor& bins, int64_t axis, const Linear& fc) {
    const Tensor codes = fc(encoding_(places(bins, spans, axis, points)));
    return distribution(matmul(tokens, codes, false, /*trans_b=*/true));
  };
  return {along(x_bins_, 0, x_fc_), along(y_bins_, 1, y_fc_)};
}

Tensor CoordinateClassifier::decoded(const Distributions& d, const Tensor& spans) const {
  const Tensor relative = stack({{sum(d.x * x_bins_, {-1}), sum(d.y * y_bins_, {-1})}}, -1);
  const int64_t M = spans.size(0);
  const Tensor center = reshape(slice(spans, 1, 0, 2), {M, 1, 2});
  return relative * reshape(slice(spans, 1, 2, 4), {M, 1, 2}) + center;
}

CoordinateClassifier::Estimate CoordinateClassifier::estimate(const Tensor& vectors,
                                                              const Tensor& spans,
                                                              const Tensor& points) const {
  const Distributions d = distributions(vectors, spans, points);
  return {.keypoints = decoded(d, spans),
          .x = d.x,
          .y = d.y,
          .sigmas = sigmoid(sigma_fc_(vectors)) * sigma_scale_};
}

Tensor CoordinateClassifier::keypoints(const Tensor& vectors, const Tensor& spans,
                                       const Tensor& points) const {
  const int64_t M = vectors.size(0);
  if (M == 0) return Tensor::empty({0, keypoints_, 2}, vectors.dtype());
  std::vector<Tensor> parts;
  for (int64_t begin = 0; begin < M; begin += kPeopleAtOnce) {
    const auto part = [&](const Tensor& t) { return slice(t, 0, begin, begin + kPeopleAtOnce); };
    parts.push_back(decoded(distributions(part(vectors), part(spans), part(points)), part(spans)));
  }
  return concat(parts, 0);
}

std::array<Tensor, 2> CoordinateClassifier::likelihoods(const Tensor& truth, const Tensor& spans,
                                                        const Tensor& sigmas,
                                                        const Tensor& areas) const {
  const int64_t M = truth.size(0);
  const Tensor size = clamp(sqrt(reshape(areas, {M, 1, 1})), 1, kLargest);
  const Tensor spread = clamp(reshape(sigmas, {M, keypoints_, 1}), 1e-3, kLargest);
  const auto along = [&](const Tensor& bins, int64_t axis) {
    const Tensor at = reshape(places(bins, spans, axis, {}), {M, 1, -1});
    const Tensor distance = abs(slice(truth, 2, axis, axis + 1) - at);
    return exp(distance / size / spread * -0.5) / spread;
  };
  return {along(x_bins_, 0), along(y_bins_, 1)};
}

}  // namespace limber
