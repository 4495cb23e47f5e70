#include "tests/support/tensors.h"

#include <random>

namespace limber::test {

Tensor uniform(const Shape& shape, double lo, double hi, uint64_t seed, DType dtype) {
  const DeviceScope on_host({});
  std::mt19937_64 random(seed);
  Tensor t = Tensor::empty(shape, DType::f64);
  for (double& v : t.span<double>()) v = lo + (hi - lo) * double(random() >> 11) * 0x1p-53;
  return t.to(dtype);
}

}  // namespace limber::test
