// What tests on a GPU share, the real one or the emulated.
#pragma once

#include <gtest/gtest.h>

#include "kernels/cuda/runtime/gpu.h"
#include "tensor/tensor.h"

namespace limber::test {

inline const Device kGpu{DeviceType::cuda, 0};

// A test, or with OnGpu<testing::TestWithParam<T>> a table of them, which is skipped with the
// reason where there is no GPU.
template <class Test = testing::Test>
class OnGpu : public Test {
 protected:
  void SetUp() override {
    if (kernels::gpu::device_count() == 0) GTEST_SKIP() << kernels::gpu::why_none();
  }
};
template <class T>
using OnGpuWithParam = OnGpu<testing::TestWithParam<T>>;

// The first number of an f32 tensor, wherever it lies.
inline double first_of(const Tensor& t) { return *t.to(Device{}).data<float>(); }

}  // namespace limber::test
