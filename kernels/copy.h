// Moving numbers without looking at them: the one kernel behind permute, expand, slice, concat,
// split, pad and their gradients.
#pragma once

#include "kernels/kernel.h"

namespace limber::kernels {

// A walk over up to six dimensions with element strides on both sides. A stride of x may be 0
// (repeats) or negative (reversed); no two steps may reach the same element of y.
struct StridedCopy {
  static constexpr int kMaxRank = 6;
  int rank = 0;  // at least 1, the last dimension walked fastest
  int64_t extent[kMaxRank] = {};
  int64_t stride_y[kMaxRank] = {};
  int64_t stride_x[kMaxRank] = {};
  int64_t start_y = 0, start_x = 0;
};

// y[start_y + sum_d i_d stride_y[d]] = x[start_x + sum_d i_d stride_x[d]] for all i. Both sides
// have y's element type, any of 1, 2, 4 or 8 bytes.
LIMBER_KERNEL(strided_copy, const StridedCopy& c, Out y, In x)

// y[i] = value, in y's type.
LIMBER_KERNEL(fill, Out y, int64_t n, double value)

// y[i] = x[i] in y's type: floats to the nearest (to integers towards zero), anything but 0 to
// true.
LIMBER_KERNEL(convert, Out y, In x, int64_t n)

}  // namespace limber::kernels
