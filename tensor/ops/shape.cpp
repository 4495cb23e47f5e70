#include "tensor/ops/shape.h"

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
  return apply_one(Reshape(x.shape(), to), {x});
}

Tensor reshape(const Tensor& x, std::initializer_list<int64_t> dims) {
  return reshape(x, std::span<const int64_t>(dims.begin(), dims.size()));
}

Tensor reshape(const Tensor& x, const Shape& shape) { return reshape(x, shape.dims()); }

}  // namespace limber
