// The suites that run over the table of op cases.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "autograd/autograd.h"
#include "kernels/cpu/runtime/cpu_features.h"
#include "tests/ops/cases.h"
#include "tests/ops/run_case.h"
#include "tests/support/tensors.h"

namespace limber::test {
namespace {

double projected(const OpCase& row, const std::vector<Tensor>& inputs, const Tensor& projection) {
  const Tensor y = row.call(inputs);
  double total = 0;
  for (int64_t i = 0; i < y.numel(); ++i)
    total += y.data<double>()[i] * projection.data<double>()[i];
  return total;
}

class OpSuite : public testing::TestWithParam<size_t> {
 protected:
  const OpCase& row() const { return op_cases()[GetParam()]; }
};

// Central differences at up to 24 elements of each input, spread evenly.
TEST_P(OpSuite, GradientMatchesDifferences) {
  if (!row().differentiable) GTEST_SKIP() << "no gradient by definition";
  const Results analytic = run(row(), DType::f64);
  if (analytic.tensors.size() == 1) GTEST_SKIP() << "empty result";
  const Tensor projection = uniform(analytic.tensors[0].shape(), -1, 1, 5).to(DType::f64);
  size_t next = 1;
  for (size_t i = 0; i < row().inputs.size(); ++i) {
    if (!row().inputs[i].gradient) continue;
    const Tensor& gradient = analytic.tensors[next++];
    ASSERT_TRUE(gradient.defined()) << "input " << i;
    double top = 1e-3;
    for (double v : gradient.span<double>()) top = std::max(top, std::abs(v));
    const int64_t n = gradient.numel(), step = std::max<int64_t>(1, n / 24);
    for (int64_t k = 0; k < n; k += step) {
      std::vector<Tensor> inputs = make_inputs(row(), DType::f64);
      constexpr double h = 1e-5;
      double& x = inputs[i].data<double>()[k];
      const double at = x;
      x = at + h;
      const double above = projected(row(), inputs, projection);
      x = at - h;
      const double below = projected(row(), inputs, projection);
      EXPECT_NEAR(gradient.data<double>()[k], (above - below) / (2 * h), 1e-6 * top + 1e-9)
          << "input " << i << ", element " << k;
    }
  }
}

TEST_P(OpSuite, SinglePrecisionMatchesDouble) {
  const kernels::Isa best = default_exec().isa;
  set_isa(kernels::Isa::base);
  const Results single = run(row(), DType::f32);
  set_isa(best);
  expect_close(single, run(row(), DType::f64), row().tolerance);
}

TEST_P(OpSuite, VectorKernelsMatchBaseline) {
  const kernels::Isa best = default_exec().isa;
  set_isa(kernels::Isa::base);
  const Results baseline = run(row(), DType::f32);
  bool any = false;
  for (kernels::Isa isa : kernels::kIsas) {
    if (isa == kernels::Isa::base || !kernels::has_isa(isa)) continue;
    any = true;
    set_isa(isa);
    SCOPED_TRACE(kernels::isa_name(isa));
    expect_close(run(row(), DType::f32), baseline, row().tolerance);
  }
  set_isa(best);
  if (!any) GTEST_SKIP() << "this processor has no vector set";
}

TEST_P(OpSuite, ThreadsDoNotChangeABit) {
  const int usual = threads();
  set_threads(1);
  const Results alone = run(row(), DType::f32);
  set_threads(4);
  const Results shared = run(row(), DType::f32);
  set_threads(usual);
  expect_close(shared, alone, 0);
}

INSTANTIATE_TEST_SUITE_P(Ops, OpSuite, testing::Range<size_t>(0, op_cases().size()),
                         [](const auto& which) { return parameter_name(which.param); });

TEST(OpTable, EveryOpHasACase) {
  std::set<std::string> covered;
  for (const OpCase& row : op_cases()) covered.insert(row.name.substr(0, row.name.find('/')));
#define LIMBER_OP(name, ...) \
  EXPECT_TRUE(covered.contains(#name)) << #name " has no row in tests/ops/cases";
#include "tensor/ops.def"
#undef LIMBER_OP
}

}  // namespace
}  // namespace limber::test
