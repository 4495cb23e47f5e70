#include "tensor/ops/strides.h"

#include "kernels/copy.h"

namespace limber {

Strides strides_of(const Shape& shape) {
  Strides strides{};
  int64_t stride = 1;
  for (int d = shape.rank() - 1; d >= 0; --d) {
    strides[size_t(d)] = stride;
    stride *= shape[d];
  }
  return strides;
}

Strides strides_over(const Shape& operand, const Shape& result) {
  Strides strides{};
  const Strides own = strides_of(operand);
  const int missing = result.rank() - operand.rank();
  for (int d = 0; d < operand.rank(); ++d)
    strides[size_t(d + missing)] = operand[d] == 1 ? 0 : own[size_t(d)];
  return strides;
}

void copy_region(const kernels::Exec& ex, const Region& to, const Region& from,
                 const Shape& extents) {
  if (extents.numel() == 0) return;
  // Neighbouring dimensions that both sides walk in one go are merged.
  kernels::StridedCopy c;
  c.start_y = to.start;
  c.start_x = from.start;
  for (size_t d = 0; d < size_t(extents.rank()); ++d) {
    const int64_t extent = extents.dims()[d];
    if (extent == 1) continue;
    const bool merges = c.rank > 0 && c.stride_y[c.rank - 1] == to.strides[d] * extent &&
                        c.stride_x[c.rank - 1] == from.strides[d] * extent;
    const int at = merges ? c.rank - 1 : c.rank++;
    c.extent[at] = (merges ? c.extent[at] : 1) * extent;
    c.stride_y[at] = to.strides[d];
    c.stride_x[at] = from.strides[d];
  }
  if (c.rank == 0) {
    c.rank = 1;
    c.extent[0] = c.stride_y[0] = c.stride_x[0] = 1;
  }
  kernels::strided_copy(ex, c, to.tensor.out(), from.tensor.in());
}

}  // namespace limber
