// The fused ops of plans have no gradients: training records the ops that they are made of.
#include "autograd/rules.h"

namespace limber {

void backward(const ConvBiasActOp&, GradContext&) {
  fail("ConvBiasAct: made for plans, has no gradient");
}

void backward(const ConvTransposeBiasActOp&, GradContext&) {
  fail("ConvTransposeBiasAct: made for plans, has no gradient");
}

void backward(const LinearBiasActOp&, GradContext&) {
  fail("LinearBiasAct: made for plans, has no gradient");
}

}  // namespace limber
