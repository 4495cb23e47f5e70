#include "pose/engine/input_staging.h"

#include <cstring>

#include "tensor/capture.h"

namespace limber {

InputStaging::InputStaging(Device device) : device_(device), stream_(device.index) {}
// Memory of the device is released in the order of its own stream, which knows nothing of a copy
// that nobody has asked for.
InputStaging::~InputStaging() { stream_.wait(); }

void InputStaging::stage(const Tensor& inputs) {
  check(!inputs.device().is_cuda(), "staging: inputs ", inputs.shape(), " lie on ",
        inputs.device());
  stream_.wait();  // the copy before has read the pinned memory
  if (!pinned_ || pinned_.shape() != inputs.shape() || pinned_.dtype() != inputs.dtype()) {
    pinned_ = pinned_tensor(inputs.shape(), inputs.dtype());
    const DeviceScope scope(device_);
    staged_ = Tensor::empty(inputs.shape(), inputs.dtype());
    stream_.follow();  // memory is there once the device's stream has come to it
  }
  std::memcpy(pinned_.raw(), inputs.raw(), inputs.bytes());
  stream_.copy(staged_.raw(), pinned_.raw(), inputs.bytes());
}

void InputStaging::deliver(Tensor to) {
  stream_.publish();
  to.copy_from(staged_);
  stream_.follow();
}

}  // namespace limber
