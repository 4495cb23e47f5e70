#include "tensor/ops/deform_attention.h"

#include "tensor/ops.h"
#include "tensor/ops/check.h"

namespace limber {
namespace {

constexpr const char* kName = "multi_scale_deform_attn";

}  // namespace

kernels::DeformAttention MultiScaleDeformAttnOp::plan(const Tensor& value,
                                                      const Tensor& locations) const {
  kernels::DeformAttention a;
  a.N = value.size(0), a.S = value.size(1), a.M = value.size(2), a.D = value.size(3);
  a.Q = locations.size(1), a.P = locations.size(4), a.L = int(maps.size());
  for (size_t l = 0; l < maps.size(); ++l) {
    a.height[l] = maps[l].first;
    a.width[l] = maps[l].second;
  }
  return a;
}

std::vector<Spec> MultiScaleDeformAttnOp::infer(std::span<const Tensor> in) const {
  const Tensor &value = in[0], &locations = in[1], &weights = in[2];
  check_rank(value, 4, kName, "value");
  check_rank(locations, 6, kName, "locations");
  check_same_dtype(value, locations, kName);
  check_same_dtype(value, weights, kName);
  check(!maps.empty() && maps.size() <= size_t(kernels::DeformAttention::kMaxLevels), kName, ": ",
        maps.size(), " maps; 1 to ", kernels::DeformAttention::kMaxLevels, " are possible");
  int64_t pixels = 0;
  for (const auto& [h, w] : maps) pixels += h * w;
  const Shape& at = locations.shape();
  check(value.size(1) == pixels, kName, ": value ", value.shape(), " for maps of ", pixels,
        " pixels");
  check(at[0] == value.size(0) && at[2] == value.size(2) && at[3] == int64_t(maps.size()) &&
            at[5] == 2 && weights.shape() == at.without(5),
        kName, ": value ", value.shape(), ", locations ", at, " and weights ", weights.shape(),
        " do not fit ", maps.size(), " maps");
  return {{Shape{at[0], at[1], at[2], value.size(3)}, value.dtype()}};
}

void MultiScaleDeformAttnOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                                     std::span<const Tensor> out) const {
  if (out[0].numel() == 0) return;
  kernels::deform_attention_forward(ex, plan(in[0], in[1]), out[0].out(), in[0].in(), in[1].in(),
                                    in[2].in());
}

Tensor multi_scale_deform_attn(const Tensor& value, const Tensor& locations, const Tensor& weights,
                               std::span<const std::array<int64_t, 2>> maps) {
  std::vector<std::pair<int64_t, int64_t>> sizes;
  for (const auto& [h, w] : maps) sizes.emplace_back(h, w);
  const Tensor y = apply_one(MultiScaleDeformAttnOp(std::move(sizes)), {value, locations, weights});
  return reshape(y, {y.size(0), y.size(1), y.size(2) * y.size(3)});
}

}  // namespace limber
