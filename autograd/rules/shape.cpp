// Rules for tensor/ops/shape.cpp.
#include "autograd/rules.h"
#include "tensor/ops.h"

namespace limber {

void backward(const Reshape& op, GradContext& g) { g.set(0, reshape(g.grad(), op.from)); }

}  // namespace limber
