// Rule for tensor/ops/dropout.cpp.
#include "autograd/rules.h"
#include "tensor/ops.h"

namespace limber {

void backward(const DropoutOp& op, GradContext& g) { g.set(0, apply_one(op, {g.grad()})); }

}  // namespace limber
