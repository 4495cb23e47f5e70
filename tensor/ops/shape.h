// Operations that move numbers and do not change them. All but Reshape work on every element type.
#pragma once

#include "tensor/op.h"
#include "tensor/ops/strides.h"

namespace limber {

// (x) -> a view of another shape with as many elements.
struct ReshapeOp : OpOf<OpKind::Reshape, Keep::nothing> {
  Shape from, to;
  ReshapeOp(const Shape& before, const Shape& after) : from(before), to(after) {}
  std::vector<Spec> infer(std::span<const Tensor>) const override { return {}; }
  void forward(const kernels::Exec&, std::span<const Tensor>,
               std::span<const Tensor>) const override {}
  Tensor view(std::span<const Tensor> in) const override { return in[0].alias(to); }
};

// (x) -> y, whose dimension i is dimension dims[i] of x.
struct PermuteOp : OpOf<OpKind::Permute, Keep::nothing> {
  std::array<int, size_t(Shape::kMaxRank)> dims{};
  explicit PermuteOp(std::span<const int> order);
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

// (x) -> x repeated to the shape `to` that it broadcasts to.
struct ExpandOp : OpOf<OpKind::Expand, Keep::nothing> {
  Shape from, to;
  ExpandOp(const Shape& before, const Shape& after) : from(before), to(after) {}
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

// (x) -> the elements begin, begin + step, ... of dimension dim, `count` of them. The step may be
// negative. A view where the elements are one piece of x's storage.
struct SliceOp : OpOf<OpKind::Slice, Keep::nothing> {
  Shape from;
  int dim;
  int64_t begin, count, step;
  SliceOp(const Shape& x, int along, int64_t first, int64_t n, int64_t by)
      : from(x), dim(along), begin(first), count(n), step(by) {}
  Region region_of(const Tensor& x) const;  // where the elements lie in a tensor of shape `from`
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
  Tensor view(std::span<const Tensor> in) const override;
};

// (parts...) -> the parts one after another along dim.
struct ConcatOp : OpOf<OpKind::Concat, Keep::nothing> {
  int dim;
  std::vector<int64_t> extents;  // of the parts, along dim
  ConcatOp(int along, std::vector<int64_t> of_parts) : dim(along), extents(std::move(of_parts)) {}
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

// (x) -> parts of the given extents along dim: the inverse of Concat.
struct SplitOp : OpOf<OpKind::Split, Keep::nothing> {
  Shape from;
  int dim;
  std::vector<int64_t> extents;
  SplitOp(const Shape& x, int along, std::span<const int64_t> of_parts)
      : from(x), dim(along), extents(of_parts.begin(), of_parts.end()) {}
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

// (x) -> x with `before[d]` and `after[d]` elements of `value` added around dimension d, or taken
// away where negative.
struct PadOp : OpOf<OpKind::Pad, Keep::nothing> {
  std::vector<std::pair<int64_t, int64_t>> amounts;
  double value;
  PadOp(std::span<const std::pair<int64_t, int64_t>> border, double fill)
      : amounts(border.begin(), border.end()), value(fill) {}
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

}  // namespace limber
