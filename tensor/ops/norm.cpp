#include "tensor/ops/norm.h"

#include "tensor/ops.h"
#include "tensor/ops/check.h"

namespace limber {
namespace {

void check_rows(const Tensor& x, const char* op) {
  check_float(x, op);
  check(x.rank() >= 1 && x.size(-1) > 0, op, ": no channels in ", x.shape());
}

void check_channels(const Tensor& x, const Tensor& t, const char* op, const char* what) {
  if (!t.defined()) return;
  check(t.dtype() == wide_type(x), op, ": ", what, " is ", t.dtype(), ", input ", x.dtype(),
        " wants ", wide_type(x));
  check(t.shape() == Shape{x.size(-1)}, op, ": ", what, " has shape ", t.shape(), ", input ",
        x.shape());
}

void check_affine(std::span<const Tensor> in, const char* op) {
  check_rows(in[0], op);
  check_channels(in[0], in[1], op, "weight");
  check_channels(in[0], in[2], op, "bias");
}

}  // namespace

kernels::NormShape batch_norm_shape(const Shape& x) { return {1, x.outer(-1), x[-1], x[-1]}; }

kernels::NormShape group_norm_shape(const Shape& x, int groups) {
  return {x[0], x[0] > 0 ? x.outer(-1) / x[0] : 0, x[-1], groups};
}

std::vector<Spec> BatchNormOp::infer(std::span<const Tensor> in) const {
  const char* op = "batch_norm";
  check_affine(in, op);
  check(in[3].defined() == in[4].defined(), op, ": one of running_mean and running_var is missing");
  check_channels(in[0], in[3], op, "running_mean");
  check_channels(in[0], in[4], op, "running_var");
  check(training || in[3].defined(), op, ": evaluation needs running statistics");
  check(!training || in[0].shape().outer(-1) != 1, op,
        ": one value per channel has no variance to train with, input ", in[0].shape());
  const Shape channels{in[0].size(-1)};
  const DType wide = wide_type(in[0]);
  return {{in[0].shape(), in[0].dtype()}, {channels, wide}, {channels, wide}};
}

void BatchNormOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                          std::span<const Tensor> out) const {
  const Tensor &x = in[0], &rstd = out[2];
  Tensor mean = out[1];
  const kernels::NormShape s = batch_norm_shape(x.shape());
  if (training) {
    const Tensor var = Tensor::empty(rstd.shape(), rstd.dtype());
    kernels::norm_statistics(ex, mean.out(), var.out(), x.in(), s);
    kernels::inverse_deviation(ex, rstd.out(), var.in(), s.C, eps);
    if (in[3].defined() && s.L > 0) {
      const double unbiased = double(s.L) / double(s.L - 1);
      kernels::move_average(ex, in[3].out(), mean.in(), s.C, momentum, 1);
      kernels::move_average(ex, in[4].out(), var.in(), s.C, momentum, unbiased);
    }
  } else {
    mean.copy_from(in[3]);
    kernels::inverse_deviation(ex, rstd.out(), in[4].in(), s.C, eps);
  }
  kernels::norm_apply(ex, out[0].out(), x.in(), mean.in(), rstd.in(), in[1].in(), in[2].in(), s);
}

std::vector<Spec> GroupNormOp::infer(std::span<const Tensor> in) const {
  check_affine(in, "group_norm");
  const Tensor& x = in[0];
  check(x.rank() >= 2 && groups >= 1 && x.size(-1) % groups == 0, "group_norm: ", groups,
        " groups do not divide the channels of ", x.shape());
  const Spec statistics{{x.size(0), groups}, wide_type(x)};
  return {{x.shape(), x.dtype()}, statistics, statistics};
}

void GroupNormOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                          std::span<const Tensor> out) const {
  const Tensor &x = in[0], &mean = out[1], &rstd = out[2];
  const kernels::NormShape s = group_norm_shape(x.shape(), groups);
  // The variances lie where their roots' inverses go: plans allocate nothing.
  kernels::norm_statistics(ex, mean.out(), rstd.out(), x.in(), s);
  kernels::inverse_deviation(ex, rstd.out(), rstd.in(), s.N * s.G, eps);
  kernels::norm_apply(ex, out[0].out(), x.in(), mean.in(), rstd.in(), in[1].in(), in[2].in(), s);
}

std::vector<Spec> LayerNormOp::infer(std::span<const Tensor> in) const {
  check_affine(in, "layer_norm");
  const Spec statistics{in[0].shape().without(-1), wide_type(in[0])};
  return {{in[0].shape(), in[0].dtype()}, statistics, statistics};
}

void LayerNormOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                          std::span<const Tensor> out) const {
  kernels::layer_norm_forward(ex, out[0].out(), out[1].out(), out[2].out(), in[0].in(), in[1].in(),
                              in[2].in(), in[0].shape().outer(-1), in[0].size(-1), eps);
}

std::vector<Spec> ScaleNormOp::infer(std::span<const Tensor> in) const {
  check_rows(in[0], "scale_norm");
  check(in[1].dtype() == wide_type(in[0]), "scale_norm: g is ", in[1].dtype(), ", input ",
        in[0].dtype());
  check(in[1].shape() == Shape{1}, "scale_norm: g has shape ", in[1].shape(), ", not (1)");
  return {{in[0].shape(), in[0].dtype()}, {in[0].shape().without(-1), wide_type(in[0])}};
}

void ScaleNormOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                          std::span<const Tensor> out) const {
  kernels::scale_norm_forward(ex, out[0].out(), out[1].out(), in[0].in(), in[1].in(),
                              in[0].shape().outer(-1), in[0].size(-1), eps);
}

Tensor batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                  const Tensor& running_mean, const Tensor& running_var, bool training,
                  double momentum, double eps) {
  return apply_one(BatchNormOp(training, momentum, eps),
                   {x, weight, bias, running_mean, running_var});
}

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  return apply_one(LayerNormOp(eps), {x, weight, bias});
}

Tensor group_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, int groups,
                  double eps) {
  return apply_one(GroupNormOp(groups, eps), {x, weight, bias});
}

Tensor scale_norm(const Tensor& x, const Tensor& g, double eps) {
  return apply_one(ScaleNormOp(eps), {x, g});
}

}  // namespace limber
