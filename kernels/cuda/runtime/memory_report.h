// What a device's pool of memory has done, in numbers and words; the bytes are gpu.h's memory().
#pragma once

#include <cstddef>
#include <string>

namespace limber::kernels::gpu {

size_t driver_requests(int index);     // blocks that the driver was asked for, since the start
std::string memory_report(int index);  // one line

}  // namespace limber::kernels::gpu
