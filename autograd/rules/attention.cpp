// Rule for tensor/ops/attention.cpp.
#include "autograd/rules.h"
#include "tensor/ops.h"

namespace limber {

void backward(const AttentionOp& op, GradContext& g) {
  const Tensor &q = g.input(0), &k = g.input(1), &v = g.input(2), &bias = g.input(3);
  const Tensor dq = Tensor::empty(q.shape(), q.dtype()), dk = Tensor::empty(k.shape(), q.dtype()),
               dv = Tensor::empty(v.shape(), q.dtype());
  // The bias may serve several heads and samples at once: each writes its own, and those are added
  // in a fixed order.
  Tensor dbias;
  if (g.needs(3)) dbias = Tensor::empty(q.shape().with(3, k.size(2)), q.dtype());
  if (g.output(1).numel() == 0) {
    for (int i = 0; i < 3; ++i) g.set(i, Tensor::zeros(g.input(i).shape(), q.dtype()));
  } else {
    kernels::attention_backward(
        exec_for(q.dtype()), op.plan(q, k, v, bias), {dq.out(), dk.out(), dv.out(), dbias.out()},
        {q.in(), k.in(), v.in(), bias.in(), g.output(0).in(), g.output(1).in(), g.grad().in()});
    g.set(0, dq);
    g.set(1, dk);
    g.set(2, dv);
  }
  if (g.needs(3)) g.set(3, sum_to(dbias, bias.shape()));
}

}  // namespace limber
