// Reading at positions that are data, extremes and where they stand. The i64 positions that these
// ops give have no gradient, and none flows to those that they are given.
#pragma once

#include "kernels/index.h"
#include "tensor/op.h"

namespace limber {

// (x, index) -> x at `index` along dim: index_select where shared, else gather (tensor/ops.h).
struct GatherOp : OpOf<OpKind::Gather> {
  Shape from;
  int dim;
  bool shared;
  GatherOp(const Shape& x, int along, bool one_index_for_all)
      : from(x), dim(along), shared(one_index_for_all) {}
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

// (x) -> (the largest or smallest along dim, the i64 index of its first occurrence), without dim.
struct ExtremeOp : OpOf<OpKind::Extreme, Keep::outputs> {
  Shape from;
  int dim;
  bool largest;
  ExtremeOp(const Shape& x, int along, bool want_largest)
      : from(x), dim(along), largest(want_largest) {}
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

// (x) -> (the k largest along the last dimension, descending, their i64 indices).
struct TopKOp : OpOf<OpKind::TopK, Keep::outputs> {
  Shape from;
  int64_t k;
  TopKOp(const Shape& x, int64_t count) : from(x), k(count) {}
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

}  // namespace limber
