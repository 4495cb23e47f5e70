// A plan computes what its model does: for every kind of network at small widths, and for configs
// that are shipped.
#include "graph/plan.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "graph/compile.h"
#include "graph/passes/passes.h"
#include "kernels/cpu/runtime/cpu_features.h"
#include "nn/scope.h"
#include "pose/estimators/estimator.h"
#include "tensor/ops.h"
#include "tests/support/allocations.h"
#include "tests/support/networks.h"
#include "tests/support/tensors.h"

namespace limber::test {
namespace {

Network network_of(const Estimator& model) {
  return [&model](std::span<const Tensor> in) { return model.forward(in[0]); };
}

// The largest difference, and the largest magnitude of `expected`.
struct Distance {
  double worst = 0, top = 1e-30;
};
template <class T>
Distance distance(const Tensor& got, const Tensor& expected) {
  Distance d;
  for (int64_t i = 0; i < got.numel(); ++i) {
    const double a = got.data<float>()[i], b = double(expected.data<T>()[i]);
    EXPECT_TRUE(std::isfinite(a) && std::isfinite(b));
    d.worst = std::max(d.worst, std::abs(a - b));
    d.top = std::max(d.top, std::abs(b));
  }
  return d;
}

void expect_close(const Tensor& got, const Tensor& expected, const std::string& what) {
  ASSERT_EQ(got.shape(), expected.shape()) << what;
  const Distance d = distance<float>(got, expected);
  EXPECT_LE(d.worst, 1e-5 * d.top) << what;
}

// The same network, weights and input in f64.
NamedTensors exact(const NetworkCase& row, const ParameterStore& store, const Tensor& input) {
  ParameterStore wide(7, true, DType::f64);
  const auto model = make_estimator(Config::parse(row.model), Scope(wide));
  wide.train(false);
  for (const Parameter& p : store.all()) {
    if (p.value.dtype() != DType::f32) continue;
    Tensor value = wide.at(p.name).value;
    value.copy_from(p.value.to(DType::f64));
  }
  return model->forward(input.to(DType::f64));
}

class PlannedNetwork : public testing::TestWithParam<NetworkCase> {};

TEST_P(PlannedNetwork, ComputesWhatTheModelDoes) {
  const NetworkCase& row = GetParam();
  ParameterStore store(7);
  const auto model = make_estimator(Config::parse(row.model), Scope(store));
  stir(store);
  store.train(false);
  PlanCache plans(network_of(*model));
  for (const int64_t batch : {2, 1}) {
    const Tensor input = uniform(row.input.with(0, batch), -1, 1, 11 + uint64_t(batch));
    plans.plan(input.shape());
    const NamedTensors got = plans(input), expected = model->forward(input);
    ASSERT_EQ(got.size(), expected.size());
    for (size_t i = 0; i < got.size(); ++i) {
      EXPECT_EQ(got[i].first, expected[i].first);
      ASSERT_EQ(got[i].second.shape(), expected[i].second.shape());
      const Distance d = distance<float>(got[i].second, expected[i].second);
      if (d.worst <= 1e-4 * d.top) continue;
      // Random weights may magnify rounding (SCNet's gates do): then the plan has to be as near to
      // the exact numbers as the model itself is.
      const Tensor truth = exact(row, store, input)[i].second;
      EXPECT_LE(distance<double>(got[i].second, truth).worst,
                distance<double>(expected[i].second, truth).worst)
          << row.name << " " << got[i].first << ": " << d.worst << " of " << d.top;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, PlannedNetwork, testing::ValuesIn(network_cases()),
                         [](const auto& row) { return row.param.name; });

int count_kind(const Graph& graph, OpKind kind) {
  int count = 0;
  for (const GraphNode& node : graph.nodes) count += node.op->kind() == kind;
  return count;
}

TEST(Passes, NothingOfNormsSumsAndActivationsIsLeftOfAResNet) {
  const NetworkCase& row = network_case("ResNet");
  ParameterStore store(7);
  const auto model = make_estimator(Config::parse(row.model), Scope(store));
  store.train(false);
  const Tensor input = uniform(row.input, -1, 1, 3);
  const Graph graph = compile(network_of(*model), {&input, 1});
  EXPECT_EQ(count_kind(graph, OpKind::BatchNorm), 0);
  EXPECT_EQ(count_kind(graph, OpKind::Binary), 0);
  EXPECT_EQ(count_kind(graph, OpKind::Unary), 0);
  // Three shortcuts and the last one: with nothing behind them that is theirs alone.
  EXPECT_EQ(count_kind(graph, OpKind::Conv2d), 4);
  EXPECT_GT(count_kind(graph, OpKind::ConvBiasAct), 15);
}

TEST(Passes, KeepSharedAndOutputValues) {
  const Tensor w = uniform({4, 1, 1, 3}, -1, 1, 1), x = uniform({1, 2, 2, 3}, -1, 1, 2);
  const Network network = [&](std::span<const Tensor> in) -> NamedTensors {
    const Tensor y = conv2d(in[0], w, {}, {});
    return {{"y", y}, {"relu", relu(y)}, {"twice", y + y}};
  };
  PlanCache plans(network);
  plans.plan(x.shape());
  const NamedTensors got = plans(x), expected = network({&x, 1});
  for (size_t i = 0; i < got.size(); ++i)
    expect_close(got[i].second, expected[i].second, got[i].first);
}

// The residual is the product's own input, which a sum in place would overwrite under it.
TEST(Passes, ConvolutionsThatAddTheirInput) {
  const Tensor w = uniform({8, 3, 3, 8}, -0.2, 0.2, 1), x = uniform({1, 9, 7, 8}, -1, 1, 2);
  const Network network = [&](std::span<const Tensor> in) -> NamedTensors {
    const Tensor y = square(in[0]);
    return {{"", relu(conv2d(y, w, {}, {.padding = {1, 1}}) + y)}};
  };
  PlanCache plans(network);
  plans.plan(x.shape());
  expect_close(plans(x)[0].second, network({&x, 1})[0].second, "sum");
}

TEST(Passes, FoldConstantsLeavesNothingToRunOfConstantParts) {
  const Tensor table = uniform({4, 3}, -1, 1, 1), x = uniform({4, 3}, -1, 1, 2);
  const Graph graph = compile(
      [&](std::span<const Tensor> in) -> NamedTensors {
        return {{"", in[0] * softmax(scale(table, 2))}};
      },
      {&x, 1});
  EXPECT_EQ(graph.nodes.size(), 1u);
}

TEST(PlanRun, AllocatesNothing) {
  const int64_t start = allocations();
  const std::vector<std::string> two(2, std::string(100, 'x'));  // more than a string holds itself
  EXPECT_TRUE(start < 0 || allocations() > start + int64_t(two.size())) << "nothing is counted";
  for (const char* name : {"ResNet", "CSPNeXt_RTMCC", "VisionTransformer"}) {
    const NetworkCase& row = network_case(name);
    ParameterStore store(7);
    const auto model = make_estimator(Config::parse(row.model), Scope(store));
    store.train(false);
    PlanCache plans(network_of(*model));
    const Plan& plan = plans.plan(row.input);
    const kernels::Exec ex = default_exec();
    plan.run(ex);  // scratch memory grows once
    const size_t live = memory_stats().live;
    const int64_t before = allocations();
    plan.run(ex);
    EXPECT_EQ(allocations(), before) << name;
    EXPECT_EQ(memory_stats().live, live) << name;
  }
}

TEST(PlanRun, SmallBatchesShareTheLargePlan) {
  const Network network = [](std::span<const Tensor> in) -> NamedTensors {
    return {{"", relu(in[0] - 0.5)}};
  };
  PlanCache plans(network);
  const Plan* large = &plans.plan({8, 3});
  for (const int64_t batch : {8, 5, 4, 3}) {
    const Tensor x = uniform({batch, 3}, -1, 1, uint64_t(batch));
    expect_close(plans(x)[0].second, network({&x, 1})[0].second, "batch");
  }
  EXPECT_EQ(&plans.plan({8, 3}), large);
}

TEST(PlanCache, PlansWhatComesASecondTime) {
  int runs = 0;
  PlanCache plans([&](std::span<const Tensor> in) -> NamedTensors {
    ++runs;
    return {{"", relu(in[0])}};
  });
  for (int i = 0; i < 4; ++i) {
    const Tensor x = uniform({2, 3}, -1, 1, uint64_t(i));
    expect_close(plans(x)[0].second, relu(x), "run");
  }
  EXPECT_EQ(runs, 3);  // once as it is, twice for the trace
}

TEST(PlanRun, DescribesItself) {
  PlanCache plans([](std::span<const Tensor> in) -> NamedTensors {
    return {{"", relu(max_pool2d(in[0], {}))}};
  });
  const std::string text = plans.plan({1, 4, 4, 3}).describe(default_exec(), 3);
  EXPECT_NE(text.find("MaxPool2d"), std::string::npos) << text;
  EXPECT_NE(text.find("(1, 4, 4, 3) -> (1, 2, 2, 3)"), std::string::npos) << text;
  EXPECT_NE(text.find("2 ops, 0 views, 1 in place"), std::string::npos) << text;
}

}  // namespace
}  // namespace limber::test
