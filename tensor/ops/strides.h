// Element strides of contiguous and of broadcast operands, and copies between strided regions of
// two tensors.
#pragma once

#include <array>

#include "kernels/exec.h"
#include "tensor/tensor.h"

namespace limber {

using Strides = std::array<int64_t, size_t(Shape::kMaxRank)>;

// Of a contiguous tensor.
Strides strides_of(const Shape& shape);

// Of an operand over the dimensions of the result it broadcasts to: 0 where it repeats.
Strides strides_over(const Shape& operand, const Shape& result);

// A strided region of a tensor: where it starts, and a stride per dimension, in elements.
struct Region {
  const Tensor& tensor;
  Strides strides;
  int64_t start = 0;
};

// The elements of `from` into those of `to`, both seen as `extents`. Nothing happens when there
// are none.
void copy_region(const kernels::Exec& ex, const Region& to, const Region& from,
                 const Shape& extents);

}  // namespace limber
