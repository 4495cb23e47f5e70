// Normalisation over the batch, groups of channels, or each position's channels.
//
// Each op hands out, after y, the statistics that its gradient reads again.
#pragma once

#include "kernels/norm.h"
#include "tensor/op.h"

namespace limber {

// (x: (..., C), weight, bias: (C,) or undefined, running_mean, running_var: (C,)) -> y, mean (C,),
// 1/std (C,). In training the running statistics may be undefined and are updated in place.
struct BatchNormOp : OpOf<OpKind::BatchNorm, Keep::inputs_and_extras> {
  bool training;
  double momentum, eps;
  BatchNormOp(bool train, double moves_by, double epsilon)
      : training(train), momentum(moves_by), eps(epsilon) {}
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

// (x: (N, ..., C), weight, bias: (C,) or undefined) -> y, mean (N, G), 1/std (N, G).
struct GroupNormOp : OpOf<OpKind::GroupNorm, Keep::inputs_and_extras> {
  int groups;
  double eps;
  GroupNormOp(int group_count, double epsilon) : groups(group_count), eps(epsilon) {}
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

// (x: (..., C), weight, bias: (C,) or undefined) -> y, mean (...), 1/std (...).
struct LayerNormOp : OpOf<OpKind::LayerNorm, Keep::inputs_and_extras> {
  double eps;
  explicit LayerNormOp(double epsilon) : eps(epsilon) {}
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

// (x: (..., C), g: (1,)) -> y, |x| C^-1/2 (...).
struct ScaleNormOp : OpOf<OpKind::ScaleNorm, Keep::inputs_and_extras> {
  double eps;
  explicit ScaleNormOp(double epsilon) : eps(epsilon) {}
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

// How the kernels see a batch: all positions one sample, every channel a group.
kernels::NormShape batch_norm_shape(const Shape& x);
kernels::NormShape group_norm_shape(const Shape& x, int groups);

}  // namespace limber
