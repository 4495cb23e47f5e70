// Rule for tensor/ops/resize.cpp.
#include "kernels/resize.h"
#include "autograd/rules.h"

namespace limber {

void backward(const ResizeOp& op, GradContext& g) {
  const kernels::ResizeShape& s = op.shape;
  const Tensor& dy = g.grad();
  const Tensor dx = Tensor::empty({s.N, s.H, s.W, s.C}, dy.dtype());
  kernels::resize_backward(exec_for(dy.dtype()), dx.out(), dy.in(), s);
  g.set(0, dx);
}

}  // namespace limber
