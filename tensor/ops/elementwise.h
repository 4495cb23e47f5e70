// Unary and binary element-wise operations, and selection.
#pragma once

#include "kernels/elementwise.h"
#include "tensor/op.h"

namespace limber {

// (x) -> y of the same shape.
struct UnaryOp : OpOf<OpKind::Unary> {
  kernels::UnaryArgs args;
  explicit UnaryOp(kernels::UnaryArgs a) : args(a) {}
  Keep keeps() const override {
    return kernels::derivative_from_output(args.f) ? Keep::outputs : Keep::inputs;
  }
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

// (a, b) -> y of the broadcast shape.
struct BinaryOp : OpOf<OpKind::Binary> {
  kernels::Binary f;
  Shape shape_a, shape_b;  // all that the gradient of a sum needs of its operands
  BinaryOp(kernels::Binary function, const Shape& a, const Shape& b)
      : f(function), shape_a(a), shape_b(b) {}
  Keep keeps() const override {
    return f == kernels::Binary::add || f == kernels::Binary::sub ? Keep::nothing : Keep::inputs;
  }
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

// (mask, a, b) -> y, all of one shape: a where mask is not zero, else b.
struct WhereOp : OpOf<OpKind::Where> {
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

}  // namespace limber
