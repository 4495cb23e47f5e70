// Mixes the channels of the groups of a grouped convolution; Zhang et al. 2018 (ShuffleNet), arXiv
// 1707.01083, figure 1.
#pragma once

#include "tensor/ops.h"

namespace limber {

// x: (N, H, W, C) -> the same shape; channel i of group g becomes channel g of group i.
inline Tensor channel_shuffle(const Tensor& x, int64_t groups) {
  const int64_t N = x.size(0), H = x.size(1), W = x.size(2), C = x.size(3);
  return reshape(transpose(reshape(x, {N, H, W, groups, C / groups}), 3, 4), {N, H, W, C});
}

}  // namespace limber
