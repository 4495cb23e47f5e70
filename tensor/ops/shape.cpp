#include "tensor/ops/shape.h"

#include <algorithm>
#include <numeric>

#include "kernels/copy.h"
#include "tensor/autocast.h"
#include "tensor/ops.h"

namespace limber {

Tensor reshape(const Tensor& x, std::span<const int64_t> dims) {
  std::array<int64_t, Shape::kMaxRank> extents{};
  check(dims.size() <= extents.size(), "reshape: more than ", Shape::kMaxRank, " dimensions");
  int64_t known = 1;
  int free_at = -1;
  for (size_t i = 0; i < dims.size(); ++i) {
    extents[i] = dims[i];
    if (dims[i] == -1) {
      check(free_at < 0, "reshape: only one extent may be -1");
      free_at = int(i);
    } else {
      known *= dims[i];
    }
  }
  if (free_at >= 0) extents[size_t(free_at)] = known == 0 ? 0 : x.numel() / known;
  const Shape to(std::span<const int64_t>(extents.data(), dims.size()));
  check(to.numel() == x.numel(), "reshape: ", x.shape(), " does not fill ", to);
  return apply_one(ReshapeOp(x.shape(), to), {x});
}

Tensor reshape(const Tensor& x, std::initializer_list<int64_t> dims) {
  return reshape(x, std::span<const int64_t>(dims.begin(), dims.size()));
}

Tensor reshape(const Tensor& x, const Shape& shape) { return reshape(x, shape.dims()); }

PermuteOp::PermuteOp(std::span<const int> order) {
  std::copy(order.begin(), order.end(), dims.begin());
}

std::vector<Spec> PermuteOp::infer(std::span<const Tensor> in) const {
  Shape to = in[0].shape();
  for (int d = 0; d < to.rank(); ++d) to = to.with(d, in[0].size(dims[size_t(d)]));
  return {{to, in[0].dtype()}};
}

void PermuteOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                        std::span<const Tensor> out) const {
  const Strides own = strides_of(in[0].shape());
  Strides walked{};
  for (int d = 0; d < in[0].rank(); ++d) walked[size_t(d)] = own[size_t(dims[size_t(d)])];
  const Shape& to = out[0].shape();
  copy_region(ex, {out[0], strides_of(to)}, {in[0], walked}, to);
}

std::vector<Spec> ExpandOp::infer(std::span<const Tensor> in) const {
  return {{to, in[0].dtype()}};
}

void ExpandOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                       std::span<const Tensor> out) const {
  copy_region(ex, {out[0], strides_of(to)}, {in[0], strides_over(from, to)}, to);
}

Region SliceOp::region_of(const Tensor& x) const {
  Region region{x, strides_of(from)};
  int64_t& stride = region.strides[size_t(dim)];
  region.start = begin * stride;
  stride *= step;
  return region;
}

std::vector<Spec> SliceOp::infer(std::span<const Tensor> in) const {
  return {{from.with(dim, count), in[0].dtype()}};
}

void SliceOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                      std::span<const Tensor> out) const {
  const Shape& to = out[0].shape();
  copy_region(ex, {out[0], strides_of(to)}, region_of(in[0]), to);
}

Tensor SliceOp::view(std::span<const Tensor> in) const {
  if (step != 1 || from.outer(dim) != 1) return {};
  return in[0].alias(from.with(dim, count), count == 0 ? 0 : begin * from.inner(dim));
}

std::vector<Spec> ConcatOp::infer(std::span<const Tensor> in) const {
  int64_t total = 0;
  for (int64_t extent : extents) total += extent;
  return {{in[0].shape().with(dim, total), in[0].dtype()}};
}

void ConcatOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                       std::span<const Tensor> out) const {
  const Strides whole = strides_of(out[0].shape());
  int64_t at = 0;
  for (const Tensor& part : in) {
    copy_region(ex, {out[0], whole, at * whole[size_t(dim)]}, {part, strides_of(part.shape())},
                part.shape());
    at += part.size(dim);
  }
}

std::vector<Spec> SplitOp::infer(std::span<const Tensor> in) const {
  std::vector<Spec> specs;
  for (int64_t extent : extents) specs.push_back({from.with(dim, extent), in[0].dtype()});
  return specs;
}

void SplitOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                      std::span<const Tensor> out) const {
  const Strides whole = strides_of(from);
  int64_t at = 0;
  for (const Tensor& part : out) {
    copy_region(ex, {part, strides_of(part.shape())}, {in[0], whole, at * whole[size_t(dim)]},
                part.shape());
    at += part.size(dim);
  }
}

std::vector<Spec> PadOp::infer(std::span<const Tensor> in) const {
  const Shape& from = in[0].shape();
  check(int(amounts.size()) == from.rank(), "pad: ", amounts.size(), " pairs of amounts for ",
        from);
  Shape to = from;
  for (int d = 0; d < from.rank(); ++d) {
    const auto [before, after] = amounts[size_t(d)];
    const int64_t extent = from[d] + before + after;
    check(extent >= 0, "pad: cropping ", -before, " and ", -after, " leaves nothing of dimension ",
          d, " of ", from);
    to = to.with(d, extent);
  }
  return {{to, in[0].dtype()}};
}

void PadOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                    std::span<const Tensor> out) const {
  const Shape &from = in[0].shape(), &to = out[0].shape();
  Region source{in[0], strides_of(from)}, target{out[0], strides_of(to)};
  Shape kept = from;
  for (int d = 0; d < from.rank(); ++d) {
    const auto [before, after] = amounts[size_t(d)];
    const int64_t first = std::max<int64_t>(0, -before);
    const int64_t past = std::min(from[d], from[d] + after);
    kept = kept.with(d, std::max<int64_t>(0, past - first));
    source.start += first * source.strides[size_t(d)];
    target.start += (first + before) * target.strides[size_t(d)];
  }
  if (kept.numel() < to.numel()) kernels::fill(ex, out[0].out(), to.numel(), value);
  copy_region(ex, target, source, kept);
}

Tensor permute(const Tensor& x, std::span<const int> dims) {
  check(int(dims.size()) == x.rank(), "permute: ", dims.size(), " dimensions named for ",
        x.shape());
  std::vector<int> order, moved;  // `moved`: the order of the dimensions of more than one element
  Shape to = x.shape();
  for (size_t i = 0; i < dims.size(); ++i) {
    order.push_back(x.shape().axis(dims[i]));
    check(std::count(order.begin(), order.end(), order[i]) == 1, "permute: dimension ", order[i],
          " of ", x.shape(), " is named twice");
    to = to.with(int(i), x.size(order[i]));
    if (x.size(order[i]) != 1) moved.push_back(order[i]);
  }
  if (std::ranges::is_sorted(moved)) return reshape(x, to);
  return apply_one(PermuteOp(order), {x});
}

Tensor permute(const Tensor& x, std::initializer_list<int> dims) {
  return permute(x, std::span<const int>(dims.begin(), dims.size()));
}

Tensor transpose(const Tensor& x, int dim_a, int dim_b) {
  std::vector<int> order(static_cast<size_t>(x.rank()));
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[size_t(x.shape().axis(dim_a))], order[size_t(x.shape().axis(dim_b))]);
  return permute(x, order);
}

Tensor expand(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  check(broadcast(x.shape(), shape, "expand") == shape, "expand: ", x.shape(),
        " does not broadcast to ", shape);
  return apply_one(ExpandOp(x.shape(), shape), {x});
}

Tensor concat(std::span<const Tensor> parts, int dim) {
  check(!parts.empty(), "concat: no parts");
  const Tensor& first = parts[0];
  const int axis = first.shape().axis(dim);
  std::vector<int64_t> extents;
  for (const Tensor& part : parts) {
    check(part.dtype() == first.dtype() || (autocasts(part) && autocasts(first)), "concat: types ",
          first.dtype(), " and ", part.dtype(), " differ");
    check(part.rank() == first.rank() && part.shape().with(axis, 0) == first.shape().with(axis, 0),
          "concat: ", part.shape(), " does not fit ", first.shape(), " along dimension ", axis);
    extents.push_back(part.size(axis));
  }
  if (parts.size() == 1) return first;
  return limber::apply(std::make_shared<const ConcatOp>(axis, std::move(extents)), parts)[0];
}

Tensor concat(std::initializer_list<Tensor> parts, int dim) {
  return concat(std::span<const Tensor>(parts.begin(), parts.size()), dim);
}

Tensor stack(std::span<const Tensor> parts, int dim) {
  check(!parts.empty(), "stack: no parts");
  const int rank = parts[0].rank() + 1, axis = dim < 0 ? dim + rank : dim;
  std::vector<Tensor> layers;
  for (const Tensor& part : parts) layers.push_back(reshape(part, part.shape().inserted(axis, 1)));
  return concat(layers, axis);
}

Tensor slice(const Tensor& x, int dim, int64_t begin, int64_t end, int64_t step) {
  check(step > 0, "slice: the step must be positive, not ", step);
  const int axis = x.shape().axis(dim);
  const int64_t n = x.size(axis);
  const auto bounded = [n](int64_t i) { return std::clamp<int64_t>(i < 0 ? i + n : i, 0, n); };
  const int64_t first = bounded(begin), length = std::max<int64_t>(0, bounded(end) - first);
  if (length == n && step == 1) return x;
  return apply_one(SliceOp(x.shape(), axis, first, (length + step - 1) / step, step), {x});
}

std::vector<Tensor> split(const Tensor& x, std::span<const int64_t> extents, int dim) {
  const int axis = x.shape().axis(dim);
  int64_t total = 0;
  for (int64_t extent : extents) {
    check(extent >= 0, "split: negative extent ", extent);
    total += extent;
  }
  check(!extents.empty() && total == x.size(axis), "split: parts of ", total,
        " elements in all for dimension ", axis, " of ", x.shape());
  return limber::apply(std::make_shared<const SplitOp>(x.shape(), axis, extents), {&x, 1});
}

std::vector<Tensor> chunk(const Tensor& x, int parts, int dim) {
  check(parts > 0 && x.size(dim) % parts == 0, "chunk: dimension ", dim, " of ", x.shape(),
        " does not divide into ", parts);
  return split(x, std::vector<int64_t>(size_t(parts), x.size(dim) / parts), dim);
}

Tensor pad(const Tensor& x, std::span<const std::pair<int64_t, int64_t>> amounts, double value) {
  return apply_one(PadOp(amounts, value), {x});
}

Tensor pad_image(const Tensor& x, int64_t top, int64_t bottom, int64_t left, int64_t right,
                 double value) {
  check(x.rank() == 4, "pad_image: needs (N, H, W, C), got ", x.shape());
  const std::pair<int64_t, int64_t> amounts[] = {{0, 0}, {top, bottom}, {left, right}, {0, 0}};
  return pad(x, amounts, value);
}

Tensor flip(const Tensor& x, int dim) {
  const int axis = x.shape().axis(dim);
  const int64_t n = x.size(axis);
  if (n <= 1) return x;
  return apply_one(SliceOp(x.shape(), axis, n - 1, n, -1), {x});
}

Tensor roll(const Tensor& x, int dim, int64_t shift) {
  const int64_t n = x.size(dim);
  const int64_t by = n == 0 ? 0 : ((shift % n) + n) % n;
  if (by == 0) return x;
  return concat({slice(x, dim, n - by, n), slice(x, dim, 0, n - by)}, dim);
}

Tensor pixel_shuffle(const Tensor& x, int r) {
  check(x.rank() == 4 && r > 0 && x.size(3) % (int64_t(r) * r) == 0, "pixel_shuffle: ", x.shape(),
        " has no ", r, " x ", r, " groups of channels");
  const int64_t N = x.size(0), H = x.size(1), W = x.size(2), C = x.size(3) / r / r;
  const Tensor blocks = permute(reshape(x, {N, H, W, C, r, r}), {0, 1, 4, 2, 5, 3});
  return reshape(blocks, {N, H * r, W * r, C});
}

}  // namespace limber
