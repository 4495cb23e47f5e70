// Rules for tensor/ops/softmax.cpp.
#include "kernels/softmax.h"
#include "autograd/rules.h"

namespace limber {

void backward(const SoftmaxOp&, GradContext& g) {
  const Tensor &dy = g.grad(), &y = g.output(0);
  const Tensor dx = Tensor::empty(y.shape(), y.dtype());
  kernels::softmax_backward(exec_for(y.dtype()), dx.out(), dy.in(), y.in(), y.shape().outer(-1),
                            y.size(-1));
  g.set(0, dx);
}

void backward(const LogSoftmaxOp&, GradContext& g) {
  const Tensor &dy = g.grad(), &y = g.output(0);
  const Tensor dx = Tensor::empty(y.shape(), y.dtype());
  kernels::log_softmax_backward(exec_for(y.dtype()), dx.out(), dy.in(), y.in(), y.shape().outer(-1),
                                y.size(-1));
  g.set(0, dx);
}

}  // namespace limber
