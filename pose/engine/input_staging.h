// The way of a batch's inputs to a GPU: through pinned memory, on a stream of their own, so that
// the copy of the next batch runs while the GPU computes on this one.
#pragma once

#include "kernels/cuda/runtime/copy_stream.h"
#include "tensor/tensor.h"

namespace limber {

class InputStaging {
 public:
  explicit InputStaging(Device device);
  ~InputStaging();
  InputStaging(const InputStaging&) = delete;
  InputStaging& operator=(const InputStaging&) = delete;

  // Starts the copy; `inputs`, on the host, may change as soon as this returns.
  void stage(const Tensor& inputs);
  // Queues the last stage()'s numbers into `to`, of their shape and on the device, behind what
  // reads `to` now.
  void deliver(Tensor to);

 private:
  Device device_;
  kernels::gpu::CopyStream stream_;
  Tensor pinned_, staged_;  // on the host, on the device
};

}  // namespace limber
