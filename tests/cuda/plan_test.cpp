// Plans on a GPU give what the models give on the CPU.
#include "graph/plan.h"

#include <gtest/gtest.h>

#include <cmath>

#include "graph/compile.h"
#include "tensor/ops.h"
#include "tests/cuda/on_gpu.h"
#include "tests/cuda/planned_network.h"

namespace limber::test {
namespace {

class CudaPlans : public OnGpuWithParam<NetworkCase> {};

double largest_difference(const Tensor& a, const Tensor& b) {
  double worst = 0;
  for (int64_t i = 0; i < a.numel(); ++i) {
    const double d = std::abs(double(a.data<float>()[i]) - double(b.data<float>()[i]));
    worst = std::isnan(d) ? INFINITY : std::max(worst, d);
  }
  return worst;
}

TEST_P(CudaPlans, ComputeWhatTheModelDoesOnTheCpu) {
  const PlannedNetwork network(GetParam());
  const NamedTensors& expected = network.expected;
  const DeviceScope scope(kGpu);
  PlanCache plans(std::cref(network));
  plans.plan(network.input.shape());
  const NamedTensors got = plans(network.input.to(kGpu));
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].second.device(), kGpu);
    ASSERT_EQ(got[i].second.shape(), expected[i].second.shape());
    const DeviceScope on_host({});
    const double top =
        largest_difference(expected[i].second, Tensor::zeros(expected[i].second.shape()));
    EXPECT_LE(largest_difference(got[i].second.to(Device{}), expected[i].second), 1e-4 * top)
        << got[i].first;
  }
}

// Of each way to build a network one: the emulator takes seconds for each.
std::vector<NetworkCase> some_networks() {
  std::vector<NetworkCase> some;
  for (const char* name : {"ResNet", "HRNet", "CSPNeXt_RTMCC", "LiteHRNet", "DEKR",
                           "VisionTransformer", "SwinTransformer", "HRFormer", "PVTv2", "TCN"})
    some.push_back(network_case(name));
  return some;
}

INSTANTIATE_TEST_SUITE_P(Some, CudaPlans, testing::ValuesIn(some_networks()),
                         [](const auto& row) { return row.param.name; });

class CudaPlan : public OnGpu<> {};

TEST_F(CudaPlan, RunsWithoutAllocating) {
  const DeviceScope scope(kGpu);
  const Tensor w = uniform({8, 3, 3, 8}, -0.2, 0.2, 1).to(kGpu);
  const Tensor x = uniform({1, 9, 7, 8}, -1, 1, 2).to(kGpu);
  // The residual is what the convolution reads, and dies in it.
  PlanCache plans([&](std::span<const Tensor> in) -> NamedTensors {
    const Tensor y = square(in[0]);
    return {{"", relu(conv2d(y, w, {}, {.padding = {1, 1}}) + y)}};
  });
  const Plan& plan = plans.plan(x.shape());
  const kernels::Exec ex = exec_for(DType::f32);
  EXPECT_NE(plan.describe(ex, 1).find("2 ops"), std::string::npos) << plan.describe(ex, 1);
  const size_t live = memory_stats(kGpu).live;
  plan.run(ex);
  EXPECT_EQ(memory_stats(kGpu).live, live);
}

TEST_F(CudaPlan, ReplaysOneGraphFromTheSecondRunOn) {
  const DeviceScope scope(kGpu);
  const Tensor w = uniform({8, 3, 3, 8}, -0.2, 0.2, 1).to(kGpu);
  PlanCache plans([&](std::span<const Tensor> in) -> NamedTensors {
    return {{"", relu(conv2d(in[0], w, {}, {.padding = {1, 1}}) + in[0])}};
  });
  const Plan& plan = plans.plan({1, 9, 7, 8});
  const kernels::Exec ex = exec_for(DType::f32);
  for (uint64_t i = 0; i < 5; ++i) {
    const Tensor x = uniform({1, 9, 7, 8}, -1, 1, 20 + i).to(kGpu);
    const Tensor expected = relu(conv2d(x, w, {}, {.padding = {1, 1}}) + x).to(Device{});
    const Tensor got = plans(x)[0].second.to(Device{});
    EXPECT_LE(largest_difference(got, expected), 1e-6) << i;
  }
  EXPECT_TRUE(plan.is_captured());
  EXPECT_NE(plan.describe(ex).find("run as one CUDA graph"), std::string::npos);
}

}  // namespace
}  // namespace limber::test
