// Rules for tensor/ops/shape.cpp.
#include "autograd/rules.h"
#include "tensor/ops.h"

namespace limber {

void backward(const ReshapeOp& op, GradContext& g) { g.set(0, reshape(g.grad(), op.from)); }

void backward(const PermuteOp& op, GradContext& g) {
  std::vector<int> inverse(static_cast<size_t>(g.grad().rank()));
  for (size_t d = 0; d < inverse.size(); ++d) inverse[size_t(op.dims[d])] = int(d);
  g.set(0, permute(g.grad(), inverse));
}

void backward(const ExpandOp& op, GradContext& g) { g.set(0, sum_to(g.grad(), op.from)); }

void backward(const SliceOp& op, GradContext& g) {
  const Tensor& dy = g.grad();
  const Tensor dx = Tensor::zeros(op.from, dy.dtype());
  copy_region(exec_for(dy.dtype()), op.region_of(dx), {dy, strides_of(dy.shape())}, dy.shape());
  g.set(0, dx);
}

void backward(const ConcatOp& op, GradContext& g) {
  int64_t at = 0;
  for (int i = 0; i < int(op.extents.size()); ++i) {
    const int64_t extent = op.extents[size_t(i)];
    if (g.needs(i)) g.set(i, slice(g.grad(), op.dim, at, at + extent));
    at += extent;
  }
}

void backward(const SplitOp& op, GradContext& g) {
  std::vector<Tensor> parts;
  DType dtype = DType::f32;
  for (int i = 0; i < int(op.extents.size()); ++i)
    if (g.grad(i).defined()) dtype = g.grad(i).dtype();
  for (int i = 0; i < int(op.extents.size()); ++i) {
    const Shape shape = op.from.with(op.dim, op.extents[size_t(i)]);
    parts.push_back(g.grad(i).defined() ? g.grad(i) : Tensor::zeros(shape, dtype));
  }
  g.set(0, concat(parts, op.dim));
}

void backward(const PadOp& op, GradContext& g) {
  auto opposite = op.amounts;
  for (auto& [before, after] : opposite) {
    before = -before;
    after = -after;
  }
  g.set(0, pad(g.grad(), opposite));
}

}  // namespace limber
