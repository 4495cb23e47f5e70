// Plans of f16 and bf16 give what the models give in f32, but for the rounding of their types.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "graph/compile.h"
#include "pose/core/keypoint_metrics.h"
#include "tests/cuda/on_gpu.h"
#include "tests/cuda/planned_network.h"

namespace limber::test {
namespace {

double root_mean_square(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum / double(a.size()));
}

// Of the operations whose weights are constants, the types of these.
std::set<DType> weight_types(const Graph& graph) {
  std::set<DType> types;
  for (const GraphNode& node : graph.nodes)
    for (const OpKind kind : {OpKind::ConvBiasAct, OpKind::LinearBiasAct, OpKind::Conv2d,
                              OpKind::Linear, OpKind::ConvTransposeBiasAct})
      if (node.op->kind() == kind) types.insert(graph.values[size_t(node.inputs[1])].spec.dtype);
  return types;
}

class CudaLowPlans : public OnGpuWithParam<std::tuple<const char*, DType>> {};

TEST_P(CudaLowPlans, RoundAndNothingElse) {
  const auto [name, low] = GetParam();
  const PlannedNetwork network(network_case(name));
  const NamedTensors& expected = network.expected;
  const DeviceScope scope(kGpu);
  PlanCache plans(std::cref(network), low);
  const Plan& plan = plans.plan(network.input.shape());
  EXPECT_EQ(weight_types(plan.graph()), std::set<DType>{low});
  const NamedTensors got = plans(network.input.to(kGpu));
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].second.dtype(), DType::f32);
    ASSERT_EQ(got[i].second.shape(), expected[i].second.shape());
    const std::vector<double> a = to_doubles(got[i].second), b = to_doubles(expected[i].second);
    const double size = root_mean_square(b, std::vector<double>(b.size(), 0));
    const double error = root_mean_square(a, b);
    EXPECT_LE(error, (low == DType::f16 ? 0.005 : 0.04) * size) << got[i].first;
    EXPECT_GT(error, 0) << got[i].first << ": nothing was rounded";
  }
}

INSTANTIATE_TEST_SUITE_P(Some, CudaLowPlans,
                         testing::Combine(testing::Values("ResNet", "CSPNeXt_RTMCC",
                                                          "VisionTransformer", "HRFormer"),
                                          testing::Values(DType::f16, DType::bf16)),
                         [](const auto& row) {
                           return std::string(std::get<0>(row.param)) + "_" +
                                  std::string(name_of(std::get<1>(row.param)));
                         });

TEST(CudaLowPlan, NeedsAGpu) {
  PlanCache plans(
      [](std::span<const Tensor> in) -> NamedTensors {
        return {{"", in[0]}};
      },
      DType::f16);
  EXPECT_THROW(plans.plan({1, 4}), Error);
}

}  // namespace
}  // namespace limber::test
