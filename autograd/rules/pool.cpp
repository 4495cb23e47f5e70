// Rules for tensor/ops/pool.cpp.
#include "kernels/pool.h"
#include "autograd/rules.h"

namespace limber {

void backward(const MaxPool2dOp& op, GradContext& g) {
  const Tensor &x = g.input(0), &y = g.output(0);
  const Tensor dx = Tensor::empty(x.shape(), x.dtype());
  kernels::max_pool_backward(exec_for(x.dtype()), dx.out(), g.grad().in(), x.in(), y.in(),
                             {x.size(0), x.size(3), op.rows, op.columns});
  g.set(0, dx);
}

void backward(const AvgPool2dOp& op, GradContext& g) {
  const Tensor& dy = g.grad();
  const int64_t N = dy.size(0), C = dy.size(3);
  const Tensor dx = Tensor::empty({N, op.rows.in, op.columns.in, C}, dy.dtype());
  kernels::mean_pool_backward(exec_for(dy.dtype()), dx.out(), dy.in(), {N, C, op.rows, op.columns});
  g.set(0, dx);
}

}  // namespace limber
