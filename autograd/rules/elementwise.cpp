// Rules for tensor/ops/elementwise.cpp.
#include "autograd/rules.h"
#include "tensor/ops.h"

namespace limber {

void backward(const UnaryOp& op, GradContext& g) {
  if (op.args.f >= kernels::Unary::sign) return;  // steps: no gradient
  const Tensor& dy = g.grad();
  const Tensor& saved = kernels::derivative_from_output(op.args.f) ? g.output(0) : g.input(0);
  const Tensor dx = Tensor::empty(dy.shape(), dy.dtype());
  kernels::unary_backward(exec_for(dy.dtype()), op.args, dx.out(), dy.in(), saved.in(), dy.numel());
  g.set(0, dx);
}

void backward(const BinaryOp& op, GradContext& g) {
  using kernels::Binary;
  const Tensor &a = g.input(0), &b = g.input(1), &dy = g.grad();
  const auto give = [&](int i, const auto& gradient) {
    if (g.needs(i)) g.set(i, sum_to(gradient(), i == 0 ? op.shape_a : op.shape_b));
  };
  switch (op.f) {
    case Binary::add:
      give(0, [&] { return dy; });
      give(1, [&] { return dy; });
      break;
    case Binary::sub:
      give(0, [&] { return dy; });
      give(1, [&] { return -dy; });
      break;
    case Binary::mul:
      give(0, [&] { return dy * b; });
      give(1, [&] { return dy * a; });
      break;
    case Binary::div:
      give(0, [&] { return dy / b; });
      give(1, [&] { return -(dy * a) / square(b); });
      break;
    case Binary::power: {
      // b a^(b - 1) and a^b log a, without 0 times infinity at b = 0 and at a = 0.
      const Tensor zero = Tensor::zeros({}, dy.dtype());
      give(0, [&] { return dy * (b * pow(a, b - 1.0 + equal(b, zero))); });
      give(1, [&] { return dy * (pow(a, b) * log(a + equal(a, zero))); });
      break;
    }
    case Binary::maximum:
    case Binary::minimum: {
      // 1 where the operand won, 1/2 where both are equal, 0 where it lost.
      const bool top = op.f == Binary::maximum;
      const Tensor a_won = top ? greater(a, b) : greater(b, a);
      const Tensor share = a_won + 0.5 * equal(a, b);
      give(0, [&] { return dy * share; });
      give(1, [&] { return dy * (1.0 - share); });
      break;
    }
    case Binary::greater:
    case Binary::greater_equal:
    case Binary::equal:
      break;  // steps: no gradient
  }
}

void backward(const WhereOp&, GradContext& g) {
  const Tensor zero = Tensor::zeros(g.grad().shape(), g.grad().dtype());
  if (g.needs(1)) g.set(1, where(g.input(0), g.grad(), zero));
  if (g.needs(2)) g.set(2, where(g.input(0), zero, g.grad()));
}

}  // namespace limber
