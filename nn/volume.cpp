#include "nn/volume.h"

namespace limber {

Tensor conv3d(const Tensor& x, const Tensor& weight, const Tensor& bias, int padding) {
  check(x.rank() == 5 && weight.rank() == 5 && x.size(4) == weight.size(4), "conv3d: input ",
        x.shape(), ", weight ", weight.shape());
  const int64_t N = x.size(0), H = x.size(2), W = x.size(3), C = x.size(4), O = weight.size(0);
  const int64_t kD = weight.size(1), kH = weight.size(2), kW = weight.size(3);
  const int64_t depth = x.size(1) + 2 * padding - kD + 1;
  check(depth > 0, "conv3d: input ", x.shape(), " is less deep than the kernel, ", weight.shape());
  const std::pair<int64_t, int64_t> amounts[] = {
      {0, 0}, {padding, padding}, {0, 0}, {0, 0}, {0, 0}};
  const Tensor padded = padding > 0 ? pad(x, amounts) : x;
  std::vector<Tensor> taps;
  for (int64_t d = 0; d < kD; ++d) taps.push_back(slice(padded, 1, d, d + depth));
  const Tensor planes = reshape(concat(taps, 4), {N * depth, H, W, kD * C});
  const Tensor flat = reshape(permute(weight, {0, 2, 3, 1, 4}), {O, kH, kW, kD * C});
  const Tensor y = conv2d(planes, flat, bias, {.padding = {padding, padding}});
  return reshape(y, {N, depth, y.size(1), y.size(2), O});
}

Tensor conv_transpose3d(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const int64_t k = weight.size(1), O = weight.size(4);
  check(x.rank() == 5 && weight.rank() == 5 && x.size(4) == weight.size(0) && weight.size(2) == k &&
            weight.size(3) == k,
        "conv_transpose3d: input ", x.shape(), ", weight ", weight.shape());
  const int64_t N = x.size(0), D = x.size(1), H = x.size(2), W = x.size(3), C = x.size(4);
  const Tensor flat = reshape(permute(weight, {0, 2, 3, 1, 4}), {C, k, k, k * O});
  const int step = int(k);
  const Tensor y =
      conv_transpose2d(reshape(x, {N * D, H, W, C}), flat, Tensor(), {.stride = {step, step}});
  const Tensor apart = reshape(y, {N * D, k * H, k * W, k, O});
  const Tensor z = reshape(permute(apart, {0, 3, 1, 2, 4}), {N, k * D, k * H, k * W, O});
  return bias.defined() ? z + bias : z;
}

Tensor max_pool3d(const Tensor& x, int k) {
  check(x.rank() == 5 && k > 0 && x.size(1) >= k, "max_pool3d: input ", x.shape(), ", windows of ",
        k);
  const int64_t N = x.size(0), D = x.size(1) / k, H = x.size(2), W = x.size(3), C = x.size(4);
  const Tensor deep = reshape(slice(x, 1, 0, D * k), {N * D, k, H * W * C});
  const Tensor flat = reshape(max(deep, 1), {N * D, H, W, C});
  const Tensor y = max_pool2d(flat, {.kernel = {k, k}, .stride = {k, k}});
  return reshape(y, {N, D, y.size(1), y.size(2), C});
}

Conv3d::Conv3d(const Scope& s, int64_t in, int64_t out, int kernel, int p) : padding(p) {
  s.layer("Conv3d");
  const Shape shape{out, kernel, kernel, kernel, in};
  const Init start = init::torch_default(init::fan_in(shape));
  weight = s.conv_weight("weight", shape, {out, in, kernel, kernel, kernel}, start);
  bias = s.parameter("bias", {out}, start);
}

ConvTranspose3d::ConvTranspose3d(const Scope& s, int64_t in, int64_t out, int kernel) {
  s.layer("ConvTranspose3d");
  const Shape shape{in, kernel, kernel, kernel, out};
  const Init start = init::torch_default(init::fan_in(shape));
  weight = s.conv_weight("weight", shape, {in, out, kernel, kernel, kernel}, start);
  bias = s.parameter("bias", {out}, start);
}

}  // namespace limber
