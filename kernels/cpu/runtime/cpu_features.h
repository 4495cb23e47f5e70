// Which instruction sets this processor and operating system have.
#pragma once

#include <string_view>

#include "kernels/exec.h"

namespace limber::kernels {

// The best set available, read once; LIMBER_ISA=base|avx2|avx512|neon in the environment lowers
// it. Its further values are those of matrix_unit() (kernels/narrow.h).
Isa best_isa();
bool has_isa(Isa isa);
std::string_view isa_name(Isa isa);

}  // namespace limber::kernels
