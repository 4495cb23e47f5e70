// Every row of the op table on a GPU against the CPU, forward and backward. Under the emulator also
// with threads and blocks in the opposite order, which must not change a bit.
#include <gtest/gtest.h>

#include "tests/cuda/on_gpu.h"
#include "tests/cuda/order.h"
#include "tests/ops/run_case.h"

namespace limber::test {
namespace {

class CudaOps : public OnGpuWithParam<size_t> {
 protected:
  const OpCase& row() const { return op_cases()[GetParam()]; }

  // Inputs are rounded for both, so what differs are the roundings of results and of what passes
  // from one op to the next: a few units of the last of 11 and of 8 bits.
  void expect_narrow(DType dtype, double tolerance) const {
    if (row().steps) GTEST_SKIP() << "a rounding more or less changes its results";
    expect_close(run(row(), dtype, kGpu, dtype), run(row(), DType::f32, {}, dtype), tolerance);
  }
};

TEST_P(CudaOps, EqualsTheCpu) {
  expect_close(run(row(), DType::f32, kGpu), run(row(), DType::f32), row().tolerance);
}

TEST_P(CudaOps, HalfPrecisionEqualsTheCpu) { expect_narrow(DType::f16, 4e-3); }
TEST_P(CudaOps, BrainFloatEqualsTheCpu) { expect_narrow(DType::bf16, 3e-2); }

TEST_P(CudaOps, AnyOrderOfThreadsGivesTheSameBits) {
  const Results ascending = run(row(), DType::f32, kGpu);
  const ReverseOrder reverse;
  expect_close(run(row(), DType::f32, kGpu), ascending, 0);
}

INSTANTIATE_TEST_SUITE_P(Ops, CudaOps, testing::Range<size_t>(0, op_cases().size()),
                         [](const auto& which) { return parameter_name(which.param); });

}  // namespace
}  // namespace limber::test
