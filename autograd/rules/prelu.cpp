// Rule for tensor/ops/prelu.cpp.
#include "kernels/prelu.h"
#include "autograd/rules.h"
#include "tensor/ops.h"

namespace limber {

void backward(const PReluOp&, GradContext& g) {
  const Tensor &x = g.input(0), &slope = g.input(1);
  const int64_t C = x.size(-1);
  const Tensor dx = g.needs(0) ? Tensor::empty(x.shape(), x.dtype()) : Tensor();
  const Tensor dslope = g.needs(1) ? Tensor::empty({C}, x.dtype()) : Tensor();
  kernels::prelu_backward(exec_for(x.dtype()), dx.out(), dslope.out(), g.grad().in(), x.in(),
                          slope.in(), x.shape().outer(-1), C, slope.numel() == 1);
  g.set(0, dx);
  if (g.needs(1)) g.set(1, sum_to(dslope, slope.shape()));
}

}  // namespace limber
