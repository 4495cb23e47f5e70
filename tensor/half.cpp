#include "tensor/half.h"

namespace limber {

Tensor widened(const Tensor& t) {
  const bool narrow = t.dtype() == DType::f16 || t.dtype() == DType::bf16;
  return narrow ? t.to(DType::f32) : t;
}

}  // namespace limber
