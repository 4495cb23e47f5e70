#include "tensor/device.h"

#include "kernels/cuda/runtime/gpu.h"
#include "tensor/error.h"

namespace limber {
namespace {

thread_local Device current;

}  // namespace

Device parse_device(const std::string& name) {
  if (name == "cpu") return {};
  const bool numbered = name.starts_with("cuda:") && name.size() > 5 && name.size() < 9 &&
                        name.find_first_not_of("0123456789", 5) == std::string::npos;
  check_input(numbered || name == "cuda", "device \"", name, "\": cpu, cuda or cuda:N expected");
  const Device device{DeviceType::cuda, numbered ? std::stoi(name.substr(5)) : 0};
  const int count = kernels::gpu::device_count();
  check_input(count > 0, "device ", name, ": ", count == 0 ? kernels::gpu::why_none() : "");
  check_input(device.index < count, "device ", name, ": this machine has ", count,
              " CUDA devices, counted from 0");
  return device;
}

std::string to_string(Device device) {
  return device.is_cuda() ? str("cuda:", device.index) : "cpu";
}

Device current_device() { return current; }

DeviceScope::DeviceScope(Device device) : outer_(current) { current = device; }
DeviceScope::~DeviceScope() { current = outer_; }

void synchronise(Device device) {
  if (device.is_cuda()) kernels::gpu::synchronise(device.index);
}

}  // namespace limber
