// Rule for tensor/ops/cast.cpp.
#include "autograd/rules.h"

namespace limber {

void backward(const CastOp& op, GradContext& g) { g.set(0, g.grad().to(op.from)); }

}  // namespace limber
