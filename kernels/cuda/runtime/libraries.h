// What this library wants of NVIDIA's, and which of them this build calls.
#pragma once

#include <string>

namespace limber::kernels::gpu {

// "cuBLASLt 13.0, cuDNN 9.19", or "" where there are none.
std::string library_versions();

// Whether products and convolutions of f32 may round their operands to TF32 (10 bits of mantissa)
// on tensor cores: several times faster. Off unless set.
bool tf32();
void set_tf32(bool allowed);

}  // namespace limber::kernels::gpu
