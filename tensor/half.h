// The two 16-bit float types of checkpoints, read as f32.
#pragma once

#include "kernels/half.h"
#include "tensor/tensor.h"

namespace limber {

// f16 and bf16 become f32; every other type stays as it is.
Tensor widened(const Tensor& t);

}  // namespace limber
