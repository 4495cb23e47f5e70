#include "tensor/half.h"

namespace limber {

Tensor widened(const Tensor& t) {
  if (t.dtype() != DType::f16 && t.dtype() != DType::bf16) return t;
  const auto* bits = static_cast<const uint16_t*>(t.raw());
  Tensor wide = Tensor::empty(t.shape());
  const bool brain = t.dtype() == DType::bf16;
  for (float& v : wide.span<float>()) {
    v = brain ? from_bf16(*bits) : from_f16(*bits);
    ++bits;
  }
  return wide;
}

}  // namespace limber
