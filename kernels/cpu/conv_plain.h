// What the plain forms of a planned convolution and of its transposed sibling share.
#pragma once

#include "kernels/conv.h"
#include "kernels/cpu/unary.h"

namespace limber::kernels::cpu::LIMBER_ISA {

// y[i] = f(y[i])
template <class T>
void apply_plainly(const Epilogue& e, T* y, int64_t n) {
  if (!e.acts) return;
  by_unary<T>(e.act, [&](const auto& f) {
    for_lanes<T>(n, [&](int64_t i, int64_t m) { store(y + i, f.value(load(y + i, m)), m); });
  });
}

// The plain forms read a weight as it is, so that packing it is copying it.
inline void copy_weight(Out packed, In weight, int64_t n) {
  by_float_type(weight.dtype, [&]<class T>(T) {
    for (int64_t i = 0; i < n; ++i) packed.as<T>()[i] = weight.as<T>()[i];
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
