#include "tensor/ops/elementwise.h"

#include "tensor/ops.h"
#include "tensor/ops/check.h"
#include "tensor/ops/strides.h"

namespace limber {
namespace {

// Merges neighbouring dimensions that both operands walk in one go, so that most broadcasts come
// down to one or two dimensions.
kernels::Broadcast plan(const Shape& result, const Shape& a, const Shape& b) {
  const auto stride_a = strides_over(a, result), stride_b = strides_over(b, result);
  kernels::Broadcast p;
  for (size_t d = 0; d < size_t(result.rank()); ++d) {
    const int64_t extent = result.dims()[d];
    if (extent == 1) continue;
    const bool merges = p.rank > 0 && p.stride_a[p.rank - 1] == stride_a[d] * extent &&
                        p.stride_b[p.rank - 1] == stride_b[d] * extent;
    const int at = merges ? p.rank - 1 : p.rank++;
    p.extent[at] = (merges ? p.extent[at] : 1) * extent;
    p.stride_a[at] = stride_a[d];
    p.stride_b[at] = stride_b[d];
  }
  if (p.rank == 0) p = {1, {1}, {1}, {1}};
  return p;
}

Tensor unary(kernels::Unary f, const Tensor& x, double a = 0, double b = 0) {
  return apply_one(UnaryOp({f, a, b}), {x});
}

Tensor binary(kernels::Binary f, const Tensor& a, const Tensor& b) {
  return apply_one(BinaryOp(f, a.shape(), b.shape()), {a, b});
}

}  // namespace

std::vector<Spec> UnaryOp::infer(std::span<const Tensor> in) const {
  check_float(in[0], "unary");
  return {{in[0].shape(), in[0].dtype()}};
}

void UnaryOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                      std::span<const Tensor> out) const {
  kernels::unary_forward(ex, args, out[0].out(), in[0].in(), in[0].numel());
}

std::vector<Spec> BinaryOp::infer(std::span<const Tensor> in) const {
  check_same_dtype(in[0], in[1], "binary");
  return {{broadcast(in[0].shape(), in[1].shape(), "binary"), in[0].dtype()}};
}

void BinaryOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                       std::span<const Tensor> out) const {
  if (out[0].numel() == 0) return;
  kernels::binary_forward(ex, f, out[0].out(), in[0].in(), in[1].in(),
                          plan(out[0].shape(), in[0].shape(), in[1].shape()));
}

std::vector<Spec> WhereOp::infer(std::span<const Tensor> in) const {
  check_same_dtype(in[0], in[1], "where");
  check_same_dtype(in[1], in[2], "where");
  check(in[0].shape() == in[1].shape() && in[1].shape() == in[2].shape(), "where: shapes ",
        in[0].shape(), ", ", in[1].shape(), " and ", in[2].shape(), " differ");
  return {{in[1].shape(), in[1].dtype()}};
}

void WhereOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                      std::span<const Tensor> out) const {
  kernels::where_forward(ex, out[0].out(), in[0].in(), in[1].in(), in[2].in(), in[0].numel());
}

Tensor relu(const Tensor& x) { return unary(kernels::Unary::relu, x); }
Tensor relu6(const Tensor& x) { return unary(kernels::Unary::relu6, x); }
Tensor leaky_relu(const Tensor& x, double slope) {
  check(slope > 0, "leaky_relu: the slope must be positive, not ", slope);
  return unary(kernels::Unary::leaky_relu, x, slope);
}
Tensor exp(const Tensor& x) { return unary(kernels::Unary::exp, x); }
Tensor log(const Tensor& x) { return unary(kernels::Unary::log, x); }
Tensor log1p(const Tensor& x) { return unary(kernels::Unary::log1p, x); }
Tensor sqrt(const Tensor& x) { return unary(kernels::Unary::sqrt, x); }
Tensor sigmoid(const Tensor& x) { return unary(kernels::Unary::sigmoid, x); }
Tensor tanh(const Tensor& x) { return unary(kernels::Unary::tanh, x); }
Tensor sin(const Tensor& x) { return unary(kernels::Unary::sin, x); }
Tensor cos(const Tensor& x) { return unary(kernels::Unary::cos, x); }
Tensor erf(const Tensor& x) { return unary(kernels::Unary::erf, x); }
Tensor silu(const Tensor& x) { return unary(kernels::Unary::silu, x); }
Tensor gelu(const Tensor& x) { return unary(kernels::Unary::gelu, x); }
Tensor hard_swish(const Tensor& x) { return unary(kernels::Unary::hard_swish, x); }
Tensor hard_sigmoid(const Tensor& x, double bias, double divisor) {
  return unary(kernels::Unary::hard_sigmoid, x, bias, divisor);
}
Tensor abs(const Tensor& x) { return unary(kernels::Unary::abs, x); }
Tensor square(const Tensor& x) { return unary(kernels::Unary::square, x); }
Tensor clamp(const Tensor& x, double low, double high) {
  return unary(kernels::Unary::clamp, x, low, high);
}
Tensor pow(const Tensor& x, double exponent) { return unary(kernels::Unary::power, x, exponent); }
Tensor sign(const Tensor& x) { return unary(kernels::Unary::sign, x); }
Tensor floor(const Tensor& x) { return unary(kernels::Unary::floor, x); }
Tensor round(const Tensor& x) { return unary(kernels::Unary::round, x); }
Tensor is_positive(const Tensor& x) { return unary(kernels::Unary::is_positive, x); }
Tensor operator-(const Tensor& x) { return unary(kernels::Unary::neg, x); }
Tensor scale(const Tensor& x, double factor, double offset) {
  return unary(kernels::Unary::scale, x, factor, offset);
}
Tensor reciprocal(const Tensor& x) { return unary(kernels::Unary::reciprocal, x); }
Tensor softplus(const Tensor& x) { return unary(kernels::Unary::softplus, x); }
Tensor log_sigmoid(const Tensor& x) { return -softplus(-x); }

Tensor operator+(const Tensor& a, const Tensor& b) { return binary(kernels::Binary::add, a, b); }
Tensor operator-(const Tensor& a, const Tensor& b) { return binary(kernels::Binary::sub, a, b); }
Tensor operator*(const Tensor& a, const Tensor& b) { return binary(kernels::Binary::mul, a, b); }
Tensor operator/(const Tensor& a, const Tensor& b) { return binary(kernels::Binary::div, a, b); }
Tensor pow(const Tensor& a, const Tensor& b) { return binary(kernels::Binary::power, a, b); }
Tensor maximum(const Tensor& a, const Tensor& b) { return binary(kernels::Binary::maximum, a, b); }
Tensor minimum(const Tensor& a, const Tensor& b) { return binary(kernels::Binary::minimum, a, b); }
Tensor greater(const Tensor& a, const Tensor& b) { return binary(kernels::Binary::greater, a, b); }
Tensor greater_equal(const Tensor& a, const Tensor& b) {
  return binary(kernels::Binary::greater_equal, a, b);
}
Tensor equal(const Tensor& a, const Tensor& b) { return binary(kernels::Binary::equal, a, b); }

Tensor where(const Tensor& mask, const Tensor& a, const Tensor& b) {
  return apply_one(WhereOp(), {mask, a, b});
}

}  // namespace limber
