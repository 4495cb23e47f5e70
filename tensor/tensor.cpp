#include "tensor/tensor.h"

#include <algorithm>
#include <cstring>

namespace limber {
namespace {

// Calls visit with a null pointer of the element's C++ type.
template <class Visit>
void by_type(DType dtype, const Visit& visit) {
  switch (dtype) {
    case DType::f32:
      return visit(static_cast<float*>(nullptr));
    case DType::f64:
      return visit(static_cast<double*>(nullptr));
    case DType::i64:
      return visit(static_cast<int64_t*>(nullptr));
    case DType::i32:
      return visit(static_cast<int32_t*>(nullptr));
    case DType::u8:
      return visit(static_cast<uint8_t*>(nullptr));
    case DType::boolean:
      return visit(static_cast<bool*>(nullptr));
    case DType::f16:
    case DType::bf16:
      fail("tensor: ", dtype, " has no arithmetic on the CPU");
  }
}

}  // namespace

Tensor Tensor::empty(const Shape& shape, DType dtype) {
  Tensor t;
  t.impl_ = std::make_shared<Impl>();
  t.impl_->shape = shape;
  t.impl_->dtype = dtype;
  t.impl_->storage = std::make_shared<Storage>(size_t(shape.numel()) * size_of(dtype));
  return t;
}

Tensor Tensor::zeros(const Shape& shape, DType dtype) {
  Tensor t = empty(shape, dtype);
  std::memset(t.raw(), 0, t.bytes());
  return t;
}

Tensor Tensor::full(const Shape& shape, double value, DType dtype) {
  Tensor t = empty(shape, dtype);
  by_type(dtype, [&]<class T>(T*) { std::fill_n(t.data<T>(), t.numel(), static_cast<T>(value)); });
  return t;
}

double Tensor::item() const {
  check(defined() && numel() == 1, "tensor: item() of a tensor with ",
        defined() ? str("shape ", shape()) : "no value");
  double value = 0;
  by_type(dtype(), [&]<class T>(T*) { value = static_cast<double>(*data<T>()); });
  return value;
}

Tensor Tensor::clone() const {
  Tensor t = empty(shape(), dtype());
  std::memcpy(t.raw(), raw(), bytes());
  return t;
}

Tensor Tensor::to(DType target) const {
  if (target == dtype()) return *this;
  Tensor t = empty(shape(), target);
  by_type(dtype(), [&]<class From>(From*) {
    by_type(target, [&]<class To>(To*) {
      std::transform(data<From>(), data<From>() + numel(), t.data<To>(),
                     [](From v) { return static_cast<To>(v); });
    });
  });
  return t;
}

void Tensor::copy_from(const Tensor& source) {
  check(source.defined() && source.shape() == shape() && source.dtype() == dtype(),
        "tensor: copy of ", source.shape(), " ", source.dtype(), " into ", shape(), " ", dtype());
  std::memcpy(raw(), source.raw(), bytes());
}

Tensor Tensor::alias(const Shape& shape, int64_t offset) const {
  check(offset >= 0 && offset + shape.numel() <= numel(), "tensor: view ", shape, " at element ",
        offset, " lies outside ", this->shape());
  Tensor t;
  t.impl_ = std::make_shared<Impl>(*impl_);
  t.impl_->shape = shape;
  t.impl_->offset += size_t(offset) * size_of(dtype());
  t.impl_->grad = nullptr;
  return t;
}

}  // namespace limber
