// Rule for tensor/ops/deform_attention.cpp.
#include "autograd/rules.h"

namespace limber {

void backward(const MultiScaleDeformAttnOp& op, GradContext& g) {
  const Tensor &value = g.input(0), &locations = g.input(1), &weights = g.input(2);
  if (g.grad().numel() == 0) {
    for (int i = 0; i < 3; ++i) g.set(i, Tensor::zeros(g.input(i).shape(), value.dtype()));
    return;
  }
  const Tensor dvalue = Tensor::empty(value.shape(), value.dtype());
  const Tensor dlocations = Tensor::empty(locations.shape(), value.dtype());
  const Tensor dweights = Tensor::empty(weights.shape(), value.dtype());
  kernels::deform_attention_backward(exec_for(value.dtype()), op.plan(value, locations),
                                     {dvalue.out(), dlocations.out(), dweights.out()},
                                     {value.in(), locations.in(), weights.in(), g.grad().in()});
  g.set(0, dvalue);
  g.set(1, dlocations);
  g.set(2, dweights);
}

}  // namespace limber
