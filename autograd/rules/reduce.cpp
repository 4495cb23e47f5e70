// Rules for tensor/ops/reduce.cpp.
#include "autograd/rules.h"
#include "tensor/ops.h"

namespace limber {

void backward(const SumOp& op, GradContext& g) {
  Shape ones = op.from;
  for (int d = op.first; d < op.last; ++d) ones = ones.with(d, 1);
  const Tensor dy = reshape(op.factor == 1 ? g.grad() : g.grad() * op.factor, ones);
  g.set(0, expand(dy, op.from));
}

}  // namespace limber
