// Which device tensors lie on and work runs on.
//
// An operation runs where its inputs lie; all of them must lie on one device, nothing is moved in
// silence. What is made from nothing (Tensor::empty, zeros, full, from) lies on the thread's
// current device: the CPU, unless a DeviceScope says otherwise.
#pragma once

#include <string>

#include "kernels/types.h"

namespace limber {

// "cpu", "cuda" (the first device) or "cuda:1". Throws InputError for anything else, and where the
// device is not there: with the reason, which in a build without CUDA is that.
Device parse_device(const std::string& name);

std::string to_string(Device device);  // as parse_device reads it

template <class Out>
Out& operator<<(Out& out, Device device) {
  out << to_string(device);
  return out;
}

Device current_device();

// The calling thread's current device while one of these lives.
class DeviceScope {
 public:
  explicit DeviceScope(Device device);
  ~DeviceScope();
  DeviceScope(const DeviceScope&) = delete;
  DeviceScope& operator=(const DeviceScope&) = delete;

 private:
  Device outer_;
};

void synchronise(Device device);  // waits until all queued work is done; nothing to do on the CPU

}  // namespace limber
