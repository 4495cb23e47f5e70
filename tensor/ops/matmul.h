// Batched matrix product, and the fully connected layer.
#pragma once

#include "kernels/gemm.h"
#include "tensor/op.h"

namespace limber {

// (a, b) -> op(a) op(b) over the last two dimensions. a: (..., M, K), b: (..., K, N) before
// transposition as the flags say; the leading dimensions are equal, or b has none.
struct MatMulOp : OpOf<OpKind::MatMul> {
  bool trans_a, trans_b;
  MatMulOp(bool transpose_a, bool transpose_b) : trans_a(transpose_a), trans_b(transpose_b) {}
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

// (x, weight, bias or undefined) -> x weight^T + bias. x: (..., I), weight: (O, I), bias: (O,).
struct LinearOp : OpOf<OpKind::Linear> {
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

}  // namespace limber
