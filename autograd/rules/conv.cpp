// Rules for tensor/ops/conv.cpp: each op's gradients are the other's kernels.
#include "kernels/conv.h"
#include "autograd/rules.h"
#include "autograd/rules/bias.h"

namespace limber {

void backward(const Conv2dOp& op, GradContext& g) {
  const Tensor &x = g.input(0), &weight = g.input(1), &dy = g.grad();
  const kernels::Exec ex = exec_for(dy.dtype());
  const kernels::Conv s = op.shape(x.shape(), weight.shape(), dy.shape());
  if (g.needs(0)) {
    const Tensor dx = Tensor::empty(x.shape(), x.dtype());
    kernels::conv_backward_data(ex, s, dx.out(), dy.in(), weight.in(), {});
    g.set(0, dx);
  }
  if (g.needs(1)) {
    const Tensor dw = Tensor::empty(weight.shape(), weight.dtype());
    kernels::conv_backward_weight(ex, s, dw.out(), x.in(), dy.in());
    g.set(1, dw);
  }
  if (g.needs(2)) g.set(2, bias_gradient(dy));
}

void backward(const ConvTranspose2dOp& op, GradContext& g) {
  const Tensor &x = g.input(0), &weight = g.input(1), &dy = g.grad();
  const kernels::Exec ex = exec_for(dy.dtype());
  const kernels::Conv s = op.shape(x.shape(), weight.shape(), dy.shape());
  if (g.needs(0)) {
    const Tensor dx = Tensor::empty(x.shape(), x.dtype());
    kernels::conv_forward(ex, s, dx.out(), dy.in(), weight.in(), {});
    g.set(0, dx);
  }
  if (g.needs(1)) {
    const Tensor dw = Tensor::empty(weight.shape(), weight.dtype());
    kernels::conv_backward_weight(ex, s, dw.out(), dy.in(), x.in());
    g.set(1, dw);
  }
  if (g.needs(2)) g.set(2, bias_gradient(dy));
}

}  // namespace limber
