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

// Whether the engines that cuDNN offers for a shape are timed at the first call with it, and the
// fastest is kept, in place of taking cuDNN's first guess. Off unless set. Choices are kept in the
// file that LIMBER_CUDNN_CHOICES names, if it does.
bool tunes();
void set_tuning(bool on);

}  // namespace limber::kernels::gpu
