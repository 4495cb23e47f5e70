// The function at the end of a fused convolution or matrix product. The common ones are bounds and
// stay in registers; the others run over numbers just written, which the first-level cache holds.
#pragma once

#include "kernels/conv.h"

namespace limber::kernels::cpu::LIMBER_ISA {

struct Activation {
  bool clamps = false;  // y = min(max(y, low), high)
  float low = 0, high = 0;
  // Else, over n numbers of each of some rows, or null: y stays. Rows in one call, since they are
  // often one or two vectors long: the function's constants are loaded once.
  void (*map)(float* const* rows, int count, int64_t n, float a, float b) = nullptr;
  float a = 0, b = 0;
};

// Of an epilogue's function; one that fuses().
Activation activation_of(const Epilogue& e);

}  // namespace limber::kernels::cpu::LIMBER_ISA
