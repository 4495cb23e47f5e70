// Windows of an image reduced to their maximum or their mean.
//
// x: (N, H, W, C), y: (N, H', W', C). A window is a range of rows and one of columns, each a
// function of the output's index along that axis.
#pragma once

#include "kernels/kernel.h"

namespace limber::kernels {

struct Window {
  int64_t begin, end;  // inside the image, never empty
  int64_t divisor;     // positions that count along this axis
};

struct WindowAxis {
  int64_t in = 0, out = 0;  // extents of image and result
  int64_t kernel = 0, stride = 0, padding = 0;
  bool count_padding = false;  // padding counts in the divisor
  bool adaptive = false;       // [floor(i in / out), ceil((i + 1) in / out))

  // The padding that counts ends where the padded image does, also where a window of ceil mode
  // reaches beyond (torch.nn.AvgPool2d).
  LIMBER_INLINE Window at(int64_t i) const {
    if (adaptive) {
      const int64_t begin = i * in / out, end = ((i + 1) * in + out - 1) / out;
      return {begin, end, end - begin};
    }
    const int64_t begin = i * stride - padding, limit = in + padding;
    const int64_t end = begin + kernel < limit ? begin + kernel : limit;
    const int64_t inner_begin = begin > 0 ? begin : 0, inner_end = end < in ? end : in;
    return {inner_begin, inner_end, count_padding ? end - begin : inner_end - inner_begin};
  }
};

struct PoolShape {
  int64_t N, C;
  WindowAxis rows, columns;
};

// y[n, i, j, c] = max of x[n, window(i, j), c]; NaN where the window holds one.
LIMBER_KERNEL(max_pool_forward, Out y, In x, const PoolShape& s)
// The gradient of y goes to the first element, by rows, that equals it.
LIMBER_KERNEL(max_pool_backward, Out dx, In dy, In x, In y, const PoolShape& s)

// y[n, i, j, c] = sum of x[n, window(i, j), c] / (row divisor * column divisor).
LIMBER_KERNEL(mean_pool_forward, Out y, In x, const PoolShape& s)
LIMBER_KERNEL(mean_pool_backward, Out dx, In dy, const PoolShape& s)

}  // namespace limber::kernels
