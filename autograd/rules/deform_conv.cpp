// Rule for tensor/ops/deform_conv.cpp.
#include "kernels/deform_conv.h"
#include "autograd/rules.h"
#include "autograd/rules/bias.h"

namespace limber {

void backward(const DeformConv2dOp& op, GradContext& g) {
  const Tensor &x = g.input(0), &offset = g.input(1), &weight = g.input(2), &dy = g.grad();
  const kernels::Exec ex = exec_for(dy.dtype());
  const kernels::DeformConv s = op.shape(x.shape(), weight.shape(), dy.shape());
  if (g.needs(0) || g.needs(1)) {
    const Tensor dx = g.needs(0) ? Tensor::empty(x.shape(), x.dtype()) : Tensor();
    const Tensor doffset = g.needs(1) ? Tensor::empty(offset.shape(), x.dtype()) : Tensor();
    kernels::deform_conv_backward_data(ex, s, dx.out(), doffset.out(), dy.in(), x.in(), offset.in(),
                                       weight.in());
    if (g.needs(0)) g.set(0, dx);
    if (g.needs(1)) g.set(1, doffset);
  }
  if (g.needs(2)) {
    const Tensor dw = Tensor::empty(weight.shape(), weight.dtype());
    kernels::deform_conv_backward_weight(ex, s, dw.out(), dy.in(), x.in(), offset.in());
    g.set(2, dw);
  }
  if (g.needs(3)) g.set(3, bias_gradient(dy));
}

}  // namespace limber
