// Rules for tensor/ops/index.cpp: gradients are added where the numbers were read.
#include "kernels/index.h"

#include "autograd/rules.h"
#include "tensor/ops.h"

namespace limber {
namespace {

Tensor scattered(const Shape& from, int dim, const Tensor& dy, const Tensor& index, bool shared) {
  const Tensor dx = Tensor::zeros(from, dy.dtype());
  if (dy.numel() == 0) return dx;
  const int64_t outer = from.outer(dim), inner = from.inner(dim);
  const kernels::Indexed s{outer, from[dim], inner, dy.numel() / (outer * inner), shared};
  kernels::gather_backward(exec_for(dy.dtype()), s, dx.out(), dy.in(), index.in());
  return dx;
}

}  // namespace

void backward(const GatherOp& op, GradContext& g) {
  if (g.needs(0)) g.set(0, scattered(op.from, op.dim, g.grad(), g.input(1), op.shared));
}

void backward(const ExtremeOp& op, GradContext& g) {
  g.set(0, scattered(op.from, op.dim, g.grad(), g.output(1), false));
}

void backward(const TopKOp& op, GradContext& g) {
  g.set(0, scattered(op.from, op.from.rank() - 1, g.grad(), g.output(1), false));
}

}  // namespace limber
