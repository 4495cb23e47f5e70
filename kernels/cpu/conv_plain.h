// What the plain forms of a planned convolution and of its transposed sibling share.
#pragma once

#include "kernels/conv.h"
#include "kernels/cpu/activation.h"
#include "kernels/cpu/unary.h"

namespace limber::kernels::cpu::LIMBER_ISA {

// y[i] = f(y[i])
inline void apply_plainly(const Epilogue& e, float* y, int64_t n) {
  const Activation act = activation_of(e);
  const Vec<float> low = splat(act.low), high = splat(act.high);
  if (act.clamps)
    for_lanes<float>(
        n, [&](int64_t i, int64_t m) { store(y + i, min(max(load(y + i, m), low), high), m); });
  if (act.map != nullptr) act.map(&y, 1, n, act.a, act.b);
}

#if defined(LIMBER_ISA_base)
inline void apply_plainly(const Epilogue& e, double* y, int64_t n) {
  if (!e.acts) return;
  by_unary<double>(e.act, [&](const auto& f) {
    for_lanes<double>(n, [&](int64_t i, int64_t m) { store(y + i, f.value(load(y + i, m)), m); });
  });
}
#endif

// The plain forms read a weight as it is, so that packing it is copying it.
inline void copy_weight(Out packed, In weight, int64_t n) {
  by_float_type(weight.dtype, [&]<class T>(T) {
    for (int64_t i = 0; i < n; ++i) packed.as<T>()[i] = weight.as<T>()[i];
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
