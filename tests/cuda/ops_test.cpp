// Every row of the op table on a GPU against the CPU, forward and backward. Under the emulator also
// with threads and blocks in the opposite order, which must not change a bit.
#include <gtest/gtest.h>

#include <optional>

#include "kernels/cuda/runtime/gpu.h"
#include "tests/cuda/order.h"
#include "tests/ops/run_case.h"

namespace limber::test {
namespace {

const Device kGpu{DeviceType::cuda, 0};

class CudaOps : public testing::TestWithParam<size_t> {
 protected:
  void SetUp() override {
    if (kernels::gpu::device_count() == 0) GTEST_SKIP() << kernels::gpu::why_none();
  }
  const OpCase& row() const { return op_cases()[GetParam()]; }

  // Nothing where a kernel of the row is declared for the CPU alone: the test is over then, and has
  // failed if training meets the op.
  std::optional<Results> on_gpu(DType dtype, DType rounding = DType::f32) const {
    try {
      return run(row(), dtype, kGpu, rounding);
    } catch (const std::exception& error) {
      if (std::string(error.what()).find("runs on the CPU alone") == std::string::npos) throw;
      give_up(error.what());
      return std::nullopt;
    }
  }

  // Inputs are rounded for both, so what differs are the roundings of results and of what passes
  // from one op to the next: a few units of the last of 11 and of 8 bits.
  void expect_narrow(DType dtype, double tolerance) const {
    if (!row().differentiable) GTEST_SKIP() << "steps: a rounding more or less changes them";
    if (const auto gpu = on_gpu(dtype, dtype))
      expect_close(*gpu, run(row(), DType::f32, {}, dtype), tolerance);
  }

 private:
  void give_up(const char* why) const {
    if (row().differentiable) FAIL() << why;
    GTEST_SKIP() << why;
  }
};

TEST_P(CudaOps, EqualsTheCpu) {
  if (const auto gpu = on_gpu(DType::f32))
    expect_close(*gpu, run(row(), DType::f32), row().tolerance);
}

TEST_P(CudaOps, HalfPrecisionEqualsTheCpu) { expect_narrow(DType::f16, 4e-3); }
TEST_P(CudaOps, BrainFloatEqualsTheCpu) { expect_narrow(DType::bf16, 3e-2); }

TEST_P(CudaOps, AnyOrderOfThreadsGivesTheSameBits) {
  const auto ascending = on_gpu(DType::f32);
  if (!ascending) return;
  const ReverseOrder reverse;
  expect_close(run(row(), DType::f32, kGpu), *ascending, 0);
}

INSTANTIATE_TEST_SUITE_P(Ops, CudaOps, testing::Range<size_t>(0, op_cases().size()),
                         [](const auto& which) { return parameter_name(which.param); });

}  // namespace
}  // namespace limber::test
