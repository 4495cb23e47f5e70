// What graph passes make of a convolution or a fully connected layer and what follows it:
//   (x, weight, bias or undefined, residual or undefined) -> f(op(x, weight) + bias + residual)
// The residual has the shape of the result and may be its memory.
#pragma once

#include "tensor/ops/conv.h"
#include "tensor/ops/matmul.h"

namespace limber {

struct FusedTail {
  bool acts = false;  // whether there is an f; one that kernels::fuses()
  kernels::UnaryArgs act{kernels::Unary::relu};
  // Of a weight that pack_weights() has replaced by numbers (n,) in the order of the instruction
  // set in use: its shape before. Such a graph runs with that instruction set alone.
  bool packed = false;
  Shape weight;
  kernels::Narrow narrow{};  // what it was packed for

  const Shape& weight_shape(const Tensor& given) const { return packed ? weight : given.shape(); }
};

struct ConvBiasActOp : OpOf<OpKind::ConvBiasAct, Keep::nothing> {
  ConvGeometry geometry;
  FusedTail tail;
  explicit ConvBiasActOp(const ConvGeometry& g, FusedTail t = {})
      : geometry(g), tail(std::move(t)) {}
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

struct ConvTransposeBiasActOp : OpOf<OpKind::ConvTransposeBiasAct, Keep::nothing> {
  ConvGeometry geometry;
  std::array<int, 2> output_padding;
  FusedTail tail;
  ConvTransposeBiasActOp(const ConvGeometry& g, std::array<int, 2> extra, FusedTail t = {})
      : geometry(g), output_padding(extra), tail(std::move(t)) {}
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

struct LinearBiasActOp : OpOf<OpKind::LinearBiasAct, Keep::nothing> {
  FusedTail tail;
  explicit LinearBiasActOp(FusedTail t = {}) : tail(std::move(t)) {}
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

// How one of these ops meets its operands: the shapes of x, weight and result.
struct FusedShapes {
  Shape x, weight, y;
};

// Whether the op's geometry allows narrow numbers.
bool can_be_narrow(const Op& op, const FusedShapes& s);

// What the op computes in where `wanted` is what its weight allows: Narrow{}, f32, where the
// instruction set of `ex` or the op's geometry does not.
kernels::Narrow narrow_for(const kernels::Exec& ex, const Op& op, const FusedShapes& s,
                           kernels::Narrow wanted);

// In which way an op's packed weight will be read (PackedForm::form): weights of one form and one
// op can be shared among shapes of x.
int64_t packed_weight_form(const kernels::Exec& ex, const Op& op, const FusedShapes& s,
                           const kernels::Narrow& n);

// The weight (f32) of one of these ops in the layout of the instruction set of `ex`: (n,) of f32,
// or of n's precision: bf16, or bytes as u8.
Tensor packed_weight(const kernels::Exec& ex, const Op& op, const FusedShapes& s,
                     const kernels::Narrow& n, const Tensor& weight);

}  // namespace limber
