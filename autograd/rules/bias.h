// The gradient of a bias, which the rules of convolutions share.
#pragma once

#include "kernels/reduce.h"
#include "tensor/op.h"

namespace limber {

// dy: (..., C) -> (C,), summed over all but the last dimension.
inline Tensor bias_gradient(const Tensor& dy) {
  const int64_t channels = dy.size(-1);
  const Tensor db = Tensor::empty({channels}, dy.dtype());
  kernels::sum_forward(exec_for(dy.dtype()), db.out(), dy.in(), 1, dy.shape().outer(-1), channels,
                       1.0);
  return db;
}

}  // namespace limber
