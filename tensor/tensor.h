// Tensor: a cheap handle to typed, contiguous, row-major numbers.
//
// Every tensor is contiguous: the last extent varies fastest and nothing is strided. A view
// (reshape, a slice of the first dimension) shares storage; any other rearrangement copies.
// Images and feature maps are channels last, (N, H, W, C).
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "kernels/types.h"
#include "tensor/device.h"
#include "tensor/dtype.h"
#include "tensor/error.h"
#include "tensor/shape.h"
#include "tensor/storage.h"

namespace limber {

// What autograd hangs on a tensor; only autograd/ knows what is in it.
struct GradSlot {
  virtual ~GradSlot() = default;
};

class Tensor {
 public:
  Tensor() = default;  // undefined: no shape, no data

  // Uninitialised, zeros, one value, and copies of host data, on the current device.
  static Tensor empty(const Shape& shape, DType dtype = DType::f32);
  static Tensor zeros(const Shape& shape, DType dtype = DType::f32);
  static Tensor full(const Shape& shape, double value, DType dtype = DType::f32);
  template <class T>
  static Tensor from(std::span<const T> values, const Shape& shape);
  template <class T>
  static Tensor from(const std::vector<T>& values, const Shape& shape) {
    return from(std::span<const T>(values), shape);
  }

  bool defined() const { return impl_ != nullptr; }
  explicit operator bool() const { return defined(); }
  const Shape& shape() const { return impl_->shape; }
  int64_t size(int dim) const { return impl_->shape[dim]; }
  int rank() const { return impl_->shape.rank(); }
  int64_t numel() const { return impl_->shape.numel(); }
  DType dtype() const { return impl_->dtype; }
  size_t bytes() const { return size_t(numel()) * size_of(dtype()); }
  Device device() const { return impl_->storage->device(); }

  // Typed access; throws when T is not the element type and for tensors not on the CPU. Writing
  // through data() is for whoever made the tensor: graph operations take their inputs as constant.
  template <class T>
  T* data() const;
  template <class T>
  std::span<T> span() const {
    return {data<T>(), size_t(numel())};
  }
  void* raw() const { return impl_->storage->data() + impl_->offset; }
  kernels::In in() const { return {defined() ? raw() : nullptr, defined() ? dtype() : DType::f32}; }
  kernels::Out out() const {
    return {defined() ? raw() : nullptr, defined() ? dtype() : DType::f32};
  }

  double item() const;                   // the one element, as a double; waits for a GPU
  Tensor clone() const;                  // same numbers, own storage, unknown to autograd
  Tensor to(DType dtype) const;          // converted copy, or this tensor when it has that type;
                                         // unknown to autograd
  Tensor to(Device device) const;        // copy on that device, or this tensor when it lies there;
                                         // unknown to autograd
  void move_to(Device device) const;     // new storage there for every handle of this tensor;
                                         // views keep the old one
  void copy_from(const Tensor& source);  // same shape and type; from any device

  // A tensor that shares this one's storage, from element `offset` on, unknown to autograd.
  Tensor alias(const Shape& shape, int64_t offset = 0) const;
  bool same_storage(const Tensor& other) const { return impl_->storage == other.impl_->storage; }
  // Identity of the handle, for maps from tensors to whatever hangs on them.
  const void* id() const { return impl_.get(); }

  const std::shared_ptr<GradSlot>& grad_slot() const { return impl_->grad; }
  void set_grad_slot(std::shared_ptr<GradSlot> slot) const { impl_->grad = std::move(slot); }

 private:
  struct Impl {
    std::shared_ptr<Storage> storage;
    size_t offset = 0;  // bytes
    Shape shape;
    DType dtype = DType::f32;
    std::shared_ptr<GradSlot> grad;
  };
  std::shared_ptr<Impl> impl_;
};

template <class T>
T* Tensor::data() const {
  check(defined(), "tensor: data() of an undefined tensor");
  check(!device().is_cuda(), "tensor: data() of ", shape(), " on ", device(),
        ": copy it to the CPU first");
  check(DTypeOf<std::remove_const_t<T>>::value == dtype(), "tensor: data of type ", dtype(),
        " asked for as ", DTypeOf<std::remove_const_t<T>>::value);
  return static_cast<T*>(raw());
}

template <class T>
Tensor Tensor::from(std::span<const T> values, const Shape& shape) {
  check(int64_t(values.size()) == shape.numel(), "tensor: ", values.size(), " values for shape ",
        shape);
  const Device target = current_device();
  const DeviceScope on_host({});
  Tensor t = empty(shape, DTypeOf<T>::value);
  std::copy(values.begin(), values.end(), t.data<T>());
  return t.to(target);
}

}  // namespace limber
