#include "tensor/tensor.h"

#include <cstring>

#include "kernels/copy.h"
#include "kernels/cuda/runtime/gpu.h"
#include "tensor/op.h"

namespace limber {
namespace {

using kernels::gpu::Copy;

// Device, stream and threads for work on this tensor.
kernels::Exec exec_on(const Tensor& t) {
  const DeviceScope scope(t.device());
  return exec_for(t.dtype());
}

}  // namespace

Tensor Tensor::empty(const Shape& shape, DType dtype) {
  Tensor t;
  t.impl_ = std::make_shared<Impl>();
  t.impl_->shape = shape;
  t.impl_->dtype = dtype;
  t.impl_->storage =
      std::make_shared<Storage>(size_t(shape.numel()) * size_of(dtype), current_device());
  return t;
}

Tensor Tensor::zeros(const Shape& shape, DType dtype) {
  Tensor t = empty(shape, dtype);
  if (t.device().is_cuda()) {
    kernels::gpu::zero(t.device().index, t.raw(), t.bytes());
  } else {
    std::memset(t.raw(), 0, t.bytes());
  }
  return t;
}

Tensor Tensor::full(const Shape& shape, double value, DType dtype) {
  Tensor t = empty(shape, dtype);
  if (t.numel() > 0) kernels::fill(exec_on(t), t.out(), t.numel(), value);
  return t;
}

double Tensor::item() const {
  check(defined() && numel() == 1, "tensor: item() of a tensor with ",
        defined() ? str("shape ", shape()) : "no value");
  return *to(Device{}).to(DType::f64).data<double>();
}

Tensor Tensor::clone() const {
  const DeviceScope scope(device());
  Tensor t = empty(shape(), dtype());
  t.copy_from(*this);
  return t;
}

Tensor Tensor::to(DType target) const {
  if (target == dtype()) return *this;
  const DeviceScope scope(device());
  Tensor t = empty(shape(), target);
  if (numel() > 0) kernels::convert(exec_on(*this), t.out(), in(), numel());
  return t;
}

Tensor Tensor::to(Device target) const {
  if (target == device()) return *this;
  const DeviceScope scope(target);
  Tensor t = empty(shape(), dtype());
  t.copy_from(*this);
  return t;
}

void Tensor::move_to(Device target) const {
  const Tensor moved = to(target);
  impl_->storage = moved.impl_->storage;
  impl_->offset = moved.impl_->offset;
}

void Tensor::copy_from(const Tensor& source) {
  check(source.defined() && source.shape() == shape() && source.dtype() == dtype(),
        "tensor: copy of ", source.shape(), " ", source.dtype(), " into ", shape(), " ", dtype());
  const Device from = source.device(), to = device();
  if (!from.is_cuda() && !to.is_cuda()) {
    std::memcpy(raw(), source.raw(), bytes());
  } else if (!to.is_cuda()) {
    kernels::gpu::copy(from.index, raw(), source.raw(), bytes(), Copy::to_host);
  } else if (!from.is_cuda()) {
    kernels::gpu::copy(to.index, raw(), source.raw(), bytes(), Copy::to_device);
  } else if (from == to) {
    kernels::gpu::copy(to.index, raw(), source.raw(), bytes(), Copy::inside);
  } else {
    copy_from(source.to(Device{}));
  }
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
