#include "pose/heads/dekr_layers.h"

#include <algorithm>
#include <cmath>

#include "tensor/ops.h"

namespace limber {
namespace {

// The 3 x 3 grid as columns (row, column, 1).
constexpr float kGrid[3][9] = {
    {-1, -1, -1, 0, 0, 0, 1, 1, 1}, {-1, 0, 1, -1, 0, 1, -1, 0, 1}, {1, 1, 1, 1, 1, 1, 1, 1, 1}};

// (6, 18): affine maps as rows (2 x 3 numbers) to the nine offsets (row, column) that they give.
Tensor grid_matrix(DType dtype) {
  std::vector<float> m(6 * 18);
  for (int64_t d = 0; d < 2; ++d)
    for (int64_t j = 0; j < 3; ++j)
      for (int64_t t = 0; t < 9; ++t) m[size_t((d * 3 + j) * 18 + t * 2 + d)] = kGrid[j][t];
  return Tensor::from(m, {6, 18}).to(dtype);
}

}  // namespace

AdaptiveActivation::AdaptiveActivation(const Scope& s, int64_t channels, int groups)
    : groups_(groups),
      transform_(s / "transform_matrix_conv",
                 ConvOptions::square(channels, 6 * groups, 3, 1, groups, /*bias=*/true)),
      norm_(s / "norm", channels) {
  s.constant("regular_matrix", Tensor::from(std::span<const float>(kGrid[0], 27), {3, 9}));
  const int64_t own = channels / groups;
  const Scope adapt = s / "adapt_conv";
  adapt.layer("DeformConv2d");
  weight_ = adapt.conv_weight("weight", {channels, 3, 3, own}, {channels, own, 3, 3},
                              init::kaiming(init::Fan::in, init::Distribution::uniform));
}

Tensor AdaptiveActivation::operator()(const Tensor& x) const {
  const int64_t N = x.size(0), H = x.size(1), W = x.size(2);
  const Tensor affine = reshape(transform_(x), {-1, 6});
  const Tensor offset = reshape(matmul(affine, grid_matrix(x.dtype())), {N, H, W, groups_ * 18});
  const ConvGeometry geometry{.padding = {1, 1}, .groups = groups_};
  return relu(norm_(deform_conv2d(x, offset, weight_, {}, geometry, groups_)) + x);
}

RescoreNet::RescoreNet(const Scope& s, int64_t in_channels, std::array<int, 2> norm_links)
    : norm_links_(norm_links),
      in_channels_(in_channels),
      l1_(s / "l1", in_channels, 256),
      l2_(s / "l2", 256, 256),
      l3_(s / "l3", 256, 1) {}

Tensor RescoreNet::operator()(const Tensor& keypoints, const Tensor& scores,
                              const Tensor& skeleton) const {
  const int64_t M = keypoints.size(0), K = keypoints.size(1), L = skeleton.size(0);
  const int64_t* links = skeleton.data<int64_t>();
  check_input(3 * L + K == in_channels_, "rescore_cfg.in_channels: ", in_channels_, ", but ", L,
              " links and ", K, " key points make ", 3 * L + K);
  for (int link : norm_links_)
    check_input(link >= 0 && link < L, "rescore_cfg.norm_indexes: no link ", link, " of ", L);
  Tensor features = Tensor::empty({M, in_channels_});
  std::vector<float> length(static_cast<size_t>(L));
  for (int64_t m = 0; m < M; ++m) {
    const float* p = keypoints.data<float>() + m * K * 2;
    float* to = features.data<float>() + m * in_channels_;
    for (int64_t l = 0; l < L; ++l) {
      const int64_t a = links[2 * l], b = links[2 * l + 1];
      to[2 * l] = p[2 * a] - p[2 * b];
      to[2 * l + 1] = p[2 * a + 1] - p[2 * b + 1];
      length[size_t(l)] = std::hypot(to[2 * l], to[2 * l + 1]);
    }
    const float mean = (length[size_t(norm_links_[0])] + length[size_t(norm_links_[1])]) / 2;
    const float unit = std::max(1.0f, mean);
    for (int64_t i = 0; i < 2 * L; ++i) to[i] /= unit;
    for (int64_t l = 0; l < L; ++l) to[2 * L + l] = length[size_t(l)] / unit;
    std::copy_n(scores.data<float>() + m * K, K, to + 3 * L);
  }
  const Tensor x = features.to(l1_.weight.dtype()).to(l1_.weight.device());
  return reshape(l3_(relu(l2_(relu(l1_(x))))), {M});
}

}  // namespace limber
