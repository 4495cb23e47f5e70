// Random tensors for tests, the same on every machine and in every order of tests.
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace limber::test {

// Uniform in [lo, hi), f32 unless said otherwise, on the CPU; a function of the seed alone.
Tensor uniform(const Shape& shape, double lo, double hi, uint64_t seed, DType dtype = DType::f32);

}  // namespace limber::test
