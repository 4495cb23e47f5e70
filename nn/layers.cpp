#include "nn/layers.h"

#include <cmath>

#include "tensor/capture.h"

namespace limber {
namespace {

Init default_init(const Shape& weight) { return init::torch_default(init::fan_in(weight)); }

Tensor make_bias(const Scope& s, bool wanted, int64_t channels, const Shape& weight) {
  return wanted ? s.parameter("bias", {channels}, default_init(weight)) : Tensor();
}

ConvGeometry geometry_of(const ConvOptions& o) {
  return {o.stride, o.padding, o.dilation, o.groups};
}

void check_groups(const Scope& s, const ConvOptions& o) {
  check(o.groups >= 1 && o.in % o.groups == 0 && o.out % o.groups == 0, s.path(), ": ", o.in,
        " -> ", o.out, " channels do not divide into ", o.groups, " groups");
}

}  // namespace

ConvOptions ConvOptions::square(int64_t in, int64_t out, int kernel, int stride, int groups,
                                bool bias) {
  const int padding = (kernel - 1) / 2;
  return {.in = in,
          .out = out,
          .kernel = {kernel, kernel},
          .stride = {stride, stride},
          .padding = {padding, padding},
          .groups = groups,
          .bias = bias};
}

Conv2d::Conv2d(const Scope& s, const ConvOptions& o) : geometry(geometry_of(o)) {
  check_groups(s, o);
  s.layer("Conv2d");
  const int64_t in = o.in / o.groups, h = o.kernel[0], w = o.kernel[1];
  const Shape shape{o.out, h, w, in};
  weight = s.conv_weight("weight", shape, {o.out, in, h, w}, default_init(shape));
  bias = make_bias(s, o.bias, o.out, shape);
}

Conv1d::Conv1d(const Scope& s, const ConvOptions& o)
    : geometry{{1, o.stride[1]}, {0, o.padding[1]}, {1, o.dilation[1]}, o.groups} {
  check_groups(s, o);
  s.layer("Conv1d");
  const int64_t in = o.in / o.groups, k = o.kernel[1];
  const Shape shape{o.out, 1, k, in};
  weight = s.conv_weight("weight", shape, {o.out, in, k}, default_init(shape));
  bias = make_bias(s, o.bias, o.out, shape);
}

ConvTranspose2d::ConvTranspose2d(const Scope& s, const ConvOptions& o, std::array<int, 2> extra)
    : geometry(geometry_of(o)), output_padding(extra) {
  check_groups(s, o);
  s.layer("ConvTranspose2d");
  const int64_t out = o.out / o.groups, h = o.kernel[0], w = o.kernel[1];
  const Shape shape{o.in, h, w, out};
  weight = s.conv_weight("weight", shape, {o.in, out, h, w}, default_init(shape));
  bias = make_bias(s, o.bias, o.out, shape);
}

Linear::Linear(const Scope& s, int64_t in, int64_t out, bool with_bias) {
  s.layer("Linear");
  const Shape shape{out, in};
  weight = s.parameter("weight", shape, default_init(shape));
  bias = make_bias(s, with_bias, out, shape);
}

BatchNorm::BatchNorm(const Scope& s, int64_t channels, double m, double e)
    : training(s.layer("BatchNorm")), momentum(m), eps(e) {
  weight = s.parameter("weight", {channels}, init::constant(1));
  bias = s.parameter("bias", {channels}, init::constant(0));
  running_mean = s.buffer("running_mean", {channels}, 0);
  running_var = s.buffer("running_var", {channels}, 1);
  num_batches_tracked = s.buffer("num_batches_tracked", {}, 0, DType::i64);
}

Tensor BatchNorm::operator()(const Tensor& x) const {
  if (*training) before_device_work([count = num_batches_tracked] { ++*count.data<int64_t>(); });
  return batch_norm(x, weight, bias, running_mean, running_var, *training, momentum, eps);
}

FrozenBatchNorm::FrozenBatchNorm(const Scope& s, int64_t channels, double e) : eps(e) {
  s.layer("FrozenBatchNorm");
  weight = s.buffer("weight", {channels}, 1);
  bias = s.buffer("bias", {channels}, 0);
  running_mean = s.buffer("running_mean", {channels}, 0);
  running_var = s.buffer("running_var", {channels}, 1);
}

LayerNorm::LayerNorm(const Scope& s, int64_t channels, double e)
    : LayerNorm(s, Shape{channels}, e) {}

LayerNorm::LayerNorm(const Scope& s, const Shape& stored, double e) : eps(e) {
  s.layer("LayerNorm");
  const Shape shape{stored.numel()};
  weight = s.parameter_stored_as("weight", shape, stored, init::constant(1));
  bias = s.parameter_stored_as("bias", shape, stored, init::constant(0));
}

GroupNorm::GroupNorm(const Scope& s, int g, int64_t channels, double e) : groups(g), eps(e) {
  s.layer("GroupNorm");
  weight = s.parameter("weight", {channels}, init::constant(1));
  bias = s.parameter("bias", {channels}, init::constant(0));
}

ScaleNorm::ScaleNorm(const Scope& s, double e) : eps(e) {
  s.layer("ScaleNorm");
  g = s.parameter("g", {1}, init::constant(1));
}

Dropout::Dropout(const Scope& s, double probability)
    : p(probability), training(s.layer("Dropout")) {}

Tensor Dropout::operator()(const Tensor& x) const { return dropout(x, p, *training); }

DropPath::DropPath(const Scope& s, double probability)
    : p(probability), training(s.layer("DropPath")) {}

Tensor DropPath::operator()(const Tensor& x) const { return drop_path(x, p, *training); }

}  // namespace limber
