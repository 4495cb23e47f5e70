// Multi-scale deformable attention.
#pragma once

#include <array>
#include <utility>
#include <vector>

#include "kernels/deform_attention.h"
#include "tensor/op.h"

namespace limber {

// (value, locations, weights) -> what the queries read of the maps, (N, Q, M, D).
struct MultiScaleDeformAttnOp : OpOf<OpKind::MultiScaleDeformAttn> {
  std::vector<std::pair<int64_t, int64_t>> maps;  // height, width
  explicit MultiScaleDeformAttnOp(std::vector<std::pair<int64_t, int64_t>> sizes)
      : maps(std::move(sizes)) {}
  kernels::DeformAttention plan(const Tensor& value, const Tensor& locations) const;
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

// Every query reads P points of each of the L maps that lie one behind the other in value:
// bilinear, 0 outside a map, (0, 0) and (1, 1) a map's outer corners; arXiv 2010.04159. value: (N,
// S, M, D), S = sum of height * width; locations: (N, Q, M, L, P, 2), x before y; weights: (N, Q,
// M, L, P); maps: (height, width) -> (N, Q, M D)
Tensor multi_scale_deform_attn(const Tensor& value, const Tensor& locations, const Tensor& weights,
                               std::span<const std::array<int64_t, 2>> maps);

}  // namespace limber
