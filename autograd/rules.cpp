#include "autograd/rules.h"

namespace limber {

void run_gradient_rule(const Op& op, GradContext& context) {
  switch (op.kind()) {
#define LIMBER_OP(name, ...) \
  case OpKind::name:         \
    return backward(static_cast<const name##Op&>(op), context);
#include "tensor/ops.def"
#undef LIMBER_OP
  }
}

}  // namespace limber
