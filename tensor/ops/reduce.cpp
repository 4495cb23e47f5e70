#include "tensor/ops/reduce.h"

#include <algorithm>

#include "kernels/reduce.h"
#include "tensor/ops.h"
#include "tensor/ops/check.h"

namespace limber {
namespace {

Tensor sum_range(const Tensor& x, int first, int last, double factor) {
  return apply_one(SumOp(x.shape(), first, last, factor), {x});
}

// Sums over any set of dimensions, adjacent ones in one go, from the back so that the numbers of
// the dimensions in front stay what they are.
Tensor sum_scaled(const Tensor& x, std::span<const int> dims, bool keep, double factor) {
  std::vector<int> axes;
  for (int dim : dims) axes.push_back(x.shape().axis(dim));
  std::sort(axes.begin(), axes.end());
  check(std::adjacent_find(axes.begin(), axes.end()) == axes.end(),
        "sum: a dimension is named twice for ", x.shape());
  Tensor y = x;
  for (size_t end = axes.size(); end > 0;) {
    size_t begin = end - 1;
    while (begin > 0 && axes[begin - 1] == axes[begin] - 1) --begin;
    y = sum_range(y, axes[begin], axes[end - 1] + 1, begin == 0 ? factor : 1.0);
    end = begin;
  }
  if (!keep) return y;
  Shape shape = x.shape();
  for (int axis : axes) shape = shape.with(axis, 1);
  return reshape(y, shape);
}

}  // namespace

std::vector<Spec> SumOp::infer(std::span<const Tensor> in) const {
  check_float(in[0], "sum");
  Shape to = from;
  for (int d = first; d < last; ++d) to = to.without(first);
  return {{to, in[0].dtype()}};
}

void SumOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                    std::span<const Tensor> out) const {
  int64_t outer = 1, n = 1, inner = 1;
  for (int d = 0; d < from.rank(); ++d) (d < first ? outer : d < last ? n : inner) *= from[d];
  kernels::sum_forward(ex, out[0].out(), in[0].in(), outer, n, inner, factor);
}

Tensor sum(const Tensor& x, std::initializer_list<int> dims, bool keep_dims) {
  return sum_scaled(x, {dims.begin(), dims.size()}, keep_dims, 1.0);
}

Tensor mean(const Tensor& x, std::initializer_list<int> dims, bool keep_dims) {
  int64_t n = 1;
  for (int dim : dims) n *= x.size(dim);
  return sum_scaled(x, {dims.begin(), dims.size()}, keep_dims, 1.0 / double(n));
}

Tensor sum(const Tensor& x) { return sum_range(x, 0, x.rank(), 1.0); }
Tensor mean(const Tensor& x) { return sum_range(x, 0, x.rank(), 1.0 / double(x.numel())); }

// At zero the square root is taken of 1 and the result multiplied with 0: the same value, and a
// gradient of 0 instead of 0 / 0.
Tensor norm(const Tensor& x, int dim, bool keep_dims) {
  const Tensor squares = sum(square(x), {dim}, keep_dims);
  const Tensor nonzero = is_positive(squares);
  return sqrt(squares + (1.0 - nonzero)) * nonzero;
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  check(shape.rank() <= x.rank(), "sum_to: ", x.shape(), " is no broadcast of ", shape);
  const int missing = x.rank() - shape.rank();
  std::vector<int> dims;
  for (int d = 0; d < x.rank(); ++d) {
    const bool repeated = d < missing || (shape[d - missing] == 1 && x.size(d) != 1);
    check(repeated || shape[d - missing] == x.size(d), "sum_to: ", x.shape(),
          " is no broadcast of ", shape);
    if (repeated) dims.push_back(d);
  }
  return reshape(sum_scaled(x, dims, false, 1.0), shape);
}

}  // namespace limber
