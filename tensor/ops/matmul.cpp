#include "tensor/ops/matmul.h"

#include <algorithm>

#include "tensor/ops.h"
#include "tensor/ops/check.h"

namespace limber {

std::vector<Spec> MatMulOp::infer(std::span<const Tensor> in) const {
  const Tensor &a = in[0], &b = in[1];
  check_same_dtype(a, b, "matmul");
  check(a.rank() >= 2 && b.rank() >= 2, "matmul: needs matrices, got ", a.shape(), " and ",
        b.shape());
  const int64_t K = a.size(trans_a ? -2 : -1), k = b.size(trans_b ? -1 : -2);
  const bool shared = b.rank() == 2 && (!trans_a || a.rank() == 2);
  const bool same_batch = std::ranges::equal(a.shape().dims().first(size_t(a.rank() - 2)),
                                             b.shape().dims().first(size_t(b.rank() - 2)));
  check(K == k && (shared || same_batch), "matmul: ", a.shape(), trans_a ? " transposed" : "",
        " and ", b.shape(), trans_b ? " transposed" : "", " do not fit");
  const Shape to = a.shape().with(-2, a.size(trans_a ? -1 : -2));
  return {{to.with(-1, b.size(trans_b ? -2 : -1)), a.dtype()}};
}

void MatMulOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                       std::span<const Tensor> out) const {
  const Tensor &a = in[0], &b = in[1], &c = out[0];
  if (c.numel() == 0) return;
  kernels::Gemm g;
  g.trans_a = trans_a;
  g.trans_b = trans_b;
  g.M = c.size(-2);
  g.N = c.size(-1);
  g.K = a.size(trans_a ? -2 : -1);
  g.lda = a.size(-1);
  g.ldb = b.size(-1);
  g.ldc = c.size(-1);
  const int64_t matrices = c.shape().outer(-2);
  if (b.rank() == 2) {
    g.M *= matrices;  // one matrix for the whole batch: the batch is more rows of a
  } else {
    g.batch = matrices;
    g.stride_a = a.size(-2) * a.size(-1);
    g.stride_b = b.size(-2) * b.size(-1);
    g.stride_c = c.size(-2) * c.size(-1);
  }
  kernels::gemm(ex, g, c.out(), a.in(), b.in());
}

Tensor matmul(const Tensor& a, const Tensor& b, bool trans_a, bool trans_b) {
  return apply_one(MatMulOp(trans_a, trans_b), {a, b});
}

std::vector<Spec> LinearOp::infer(std::span<const Tensor> in) const {
  const Tensor &x = in[0], &weight = in[1], &bias = in[2];
  check_rank(weight, 2, "linear", "the weight");
  check_same_dtype(x, weight, "linear");
  check(x.rank() >= 1 && x.size(-1) == weight.size(1), "linear: input ", x.shape(), " and weight ",
        weight.shape(), " do not fit");
  if (bias.defined()) {
    check_same_dtype(x, bias, "linear");
    check(bias.shape() == Shape{weight.size(0)}, "linear: bias ", bias.shape(), " for weight ",
          weight.shape());
  }
  return {{x.shape().with(-1, weight.size(0)), x.dtype()}};
}

void LinearOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                       std::span<const Tensor> out) const {
  kernels::Gemm g;
  g.trans_b = true;
  g.M = in[0].shape().outer(-1);
  g.N = in[1].size(0);
  g.K = in[1].size(1);
  g.lda = g.ldb = g.K;
  g.ldc = g.N;
  g.bias = in[2].in();
  kernels::gemm(ex, g, out[0].out(), in[0].in(), in[1].in());
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  return apply_one(LinearOp(), {x, weight, bias});
}

}  // namespace limber
