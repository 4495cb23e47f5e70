#include "tensor/ops/index.h"

#include "tensor/ops.h"
#include "tensor/ops/check.h"

namespace limber {
namespace {

// On a GPU the kernel checks: the indices are not to be waited for.
void check_indices(const Tensor& index, int64_t n, const char* op) {
  if (index.device().is_cuda()) return;
  for (int64_t i : index.span<int64_t>())
    check(i >= 0 && i < n, op, ": index ", i, " lies outside a dimension of ", n);
}

Tensor extreme(const Tensor& x, int dim, bool largest, bool keep_dims) {
  const int axis = x.shape().axis(dim);
  const Tensor y = apply_one(ExtremeOp(x.shape(), axis, largest), {x});
  return keep_dims ? reshape(y, x.shape().with(axis, 1)) : y;
}

}  // namespace

std::vector<Spec> GatherOp::infer(std::span<const Tensor> in) const {
  const char* name = shared ? "index_select" : "gather";
  const Tensor &x = in[0], &index = in[1];
  check(index.defined() && index.dtype() == DType::i64, name, ": the indices must be i64, got ",
        index.defined() ? name_of(index.dtype()) : "an undefined tensor");
  if (shared) {
    check(index.rank() == 1, name, ": the indices must have one dimension, got ", index.shape());
    return {{from.with(dim, index.size(0)), x.dtype()}};
  }
  check(index.rank() == from.rank() && index.shape().with(dim, 0) == from.with(dim, 0), name,
        ": indices ", index.shape(), " do not fit ", from, " along dimension ", dim);
  return {{index.shape(), x.dtype()}};
}

void GatherOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                       std::span<const Tensor> out) const {
  check_indices(in[1], from[dim], shared ? "index_select" : "gather");
  if (out[0].numel() == 0) return;
  const kernels::Indexed s{from.outer(dim), from[dim], from.inner(dim), out[0].size(dim), shared};
  kernels::gather_forward(ex, s, out[0].out(), in[0].in(), in[1].in());
}

std::vector<Spec> ExtremeOp::infer(std::span<const Tensor> in) const {
  check_float(in[0], largest ? "max" : "min");
  check(from[dim] > 0, largest ? "max" : "min", ": nothing along dimension ", dim, " of ", from);
  return {{from.without(dim), in[0].dtype()}, {from.without(dim), DType::i64}};
}

void ExtremeOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                        std::span<const Tensor> out) const {
  if (out[0].numel() == 0) return;
  kernels::extreme_forward(ex, largest, out[0].out(), out[1].out(), in[0].in(), from.outer(dim),
                           from[dim], from.inner(dim));
}

std::vector<Spec> TopKOp::infer(std::span<const Tensor> in) const {
  check_float(in[0], "topk");
  check(from.rank() > 0 && k > 0 && k <= from[-1], "topk: no ", k,
        " numbers along the last dimension of ", from);
  return {{from.with(-1, k), in[0].dtype()}, {from.with(-1, k), DType::i64}};
}

void TopKOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                     std::span<const Tensor> out) const {
  kernels::topk_forward(ex, out[0].out(), out[1].out(), in[0].in(), from.outer(-1), from[-1], k);
}

Tensor index_select(const Tensor& x, int dim, const Tensor& indices) {
  return apply_one(GatherOp(x.shape(), x.shape().axis(dim), true), {x, indices});
}

Tensor gather(const Tensor& x, int dim, const Tensor& index) {
  return apply_one(GatherOp(x.shape(), x.shape().axis(dim), false), {x, index});
}

Tensor max(const Tensor& x, int dim, bool keep_dims) { return extreme(x, dim, true, keep_dims); }
Tensor min(const Tensor& x, int dim, bool keep_dims) { return extreme(x, dim, false, keep_dims); }

Tensor argmax(const Tensor& x, int dim) {
  const auto op = std::make_shared<const ExtremeOp>(x.shape(), x.shape().axis(dim), true);
  return limber::apply(op, {&x, 1})[1];
}

std::pair<Tensor, Tensor> topk(const Tensor& x, int64_t k) {
  const auto found = limber::apply(std::make_shared<const TopKOp>(x.shape(), k), {&x, 1});
  return {found[0], found[1]};
}

}  // namespace limber
