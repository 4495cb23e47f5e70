// Rules for tensor/ops/matmul.cpp.
#include "autograd/rules.h"
#include "tensor/ops.h"

namespace limber {

// C = op(A) op(B): dop(A) = dC op(B)^T and dop(B) = op(A)^T dC; for a stored transpose the product
// is taken the other way round.
void backward(const MatMulOp& op, GradContext& g) {
  const Tensor &a = g.input(0), &b = g.input(1), &dy = g.grad();
  if (g.needs(0)) {
    g.set(0, op.trans_a ? matmul(b, dy, op.trans_b, true) : matmul(dy, b, false, !op.trans_b));
  }
  if (!g.needs(1)) return;
  if (b.rank() == 2 && a.rank() > 2) {
    // One matrix served the whole batch: the batch is more rows.
    const Tensor rows = reshape(a, {-1, a.size(-1)}), grads = reshape(dy, {-1, dy.size(-1)});
    g.set(1, op.trans_b ? matmul(grads, rows, true) : matmul(rows, grads, true));
  } else {
    g.set(1, op.trans_b ? matmul(dy, a, true, op.trans_a) : matmul(a, dy, !op.trans_a));
  }
}

// y = x W^T + b: dx = dy W, dW = dy^T x, db = the sum of dy's rows.
void backward(const LinearOp&, GradContext& g) {
  const Tensor &x = g.input(0), &weight = g.input(1);
  const int64_t rows = x.shape().outer(-1);
  const Tensor dy = reshape(g.grad(), {rows, weight.size(0)});
  if (g.needs(0)) g.set(0, reshape(matmul(dy, weight), x.shape()));
  if (g.needs(1)) g.set(1, matmul(dy, reshape(x, {rows, weight.size(1)}), true));
  if (g.needs(2)) g.set(2, sum(dy, {0}));
}

}  // namespace limber
