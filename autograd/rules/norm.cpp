// Rules for tensor/ops/norm.cpp.
#include "kernels/norm.h"
#include "autograd/rules.h"
#include "tensor/ops.h"

namespace limber {
namespace {

// Where a rule's gradient of input i goes; undefined when nobody wants it.
Tensor wanted(const GradContext& g, int i) {
  return g.needs(i) ? Tensor::empty(g.input(i).shape(), g.input(i).dtype()) : Tensor();
}

void group_backward(GradContext& g, const kernels::NormShape& s, bool fixed) {
  const Tensor& x = g.input(0);
  const Tensor dx = wanted(g, 0), dweight = wanted(g, 1), dbias = wanted(g, 2);
  kernels::norm_backward(exec_for(x.dtype()), dx.out(), dweight.out(), dbias.out(), g.grad().in(),
                         x.in(), g.output(1).in(), g.output(2).in(), g.input(1).in(), s, fixed);
  g.set(0, dx);
  g.set(1, dweight);
  g.set(2, dbias);
}

}  // namespace

void backward(const BatchNormOp& op, GradContext& g) {
  group_backward(g, batch_norm_shape(g.input(0).shape()), !op.training);
}

void backward(const GroupNormOp& op, GradContext& g) {
  group_backward(g, group_norm_shape(g.input(0).shape(), op.groups), false);
}

void backward(const LayerNormOp&, GradContext& g) {
  const Tensor& x = g.input(0);
  const Tensor dx = wanted(g, 0), dweight = wanted(g, 1), dbias = wanted(g, 2);
  kernels::layer_norm_backward(exec_for(x.dtype()), dx.out(), dweight.out(), dbias.out(),
                               g.grad().in(), x.in(), g.output(1).in(), g.output(2).in(),
                               g.input(1).in(), x.shape().outer(-1), x.size(-1));
  g.set(0, dx);
  g.set(1, dweight);
  g.set(2, dbias);
}

void backward(const ScaleNormOp& op, GradContext& g) {
  const Tensor &x = g.input(0), &length = g.output(1);
  const int64_t rows = length.numel();
  const Tensor dx = wanted(g, 0), terms = Tensor::empty({rows}, length.dtype());
  kernels::scale_norm_backward(exec_for(x.dtype()), dx.out(), terms.out(), g.grad().in(), x.in(),
                               length.in(), g.input(1).in(), rows, x.size(-1), op.eps);
  g.set(0, dx);
  if (g.needs(1)) g.set(1, sum(terms, {0}, true));
}

}  // namespace limber
