// Normalisation by numbers worked out by hand; running statistics; what is refused.
#include <gtest/gtest.h>

#include <cmath>

#include "autograd/autograd.h"
#include "tensor/ops.h"

namespace limber {
namespace {

const Tensor kNone;

Tensor vector(const std::vector<double>& values) {
  return Tensor::from<double>(values, {int64_t(values.size())});
}

void expect_values(const Tensor& t, const std::vector<double>& values) {
  ASSERT_EQ(t.numel(), int64_t(values.size()));
  for (size_t i = 0; i < values.size(); ++i)
    EXPECT_NEAR(t.data<double>()[i], values[i], 1e-9) << "element " << i;
}

// Two channels of means 4 and 30, biased variances 38/4 and 250, unbiased 38/3 and 1000/3.
Tensor batch() { return Tensor::from<double>({1, 10, 2, 20, 4, 40, 9, 50}, {4, 2}); }

TEST(BatchNorm, TrainingUsesBiasedAndKeepsUnbiasedVariance) {
  const Tensor mean = vector({1, -1}), var = vector({2, 3});
  const Tensor y = batch_norm(batch(), vector({2, 1}), vector({0.5, -1}), mean, var, true, 0.25, 0);
  const double a = std::sqrt(9.5), b = std::sqrt(250);
  expect_values(y, {0.5 - 6 / a, -1 - 20 / b, 0.5 - 4 / a, -1 - 10 / b, 0.5, -1 + 10 / b,
                    0.5 + 10 / a, -1 + 20 / b});
  expect_values(mean, {0.75 * 1 + 0.25 * 4, 0.75 * -1 + 0.25 * 30});
  expect_values(var, {0.75 * 2 + 0.25 * 38 / 3, 0.75 * 3 + 0.25 * 1000 / 3});
}

TEST(BatchNorm, EvaluationReadsTheRunningStatistics) {
  const Tensor mean = vector({1, -2}), var = vector({3, 24});
  const Tensor y = batch_norm(Tensor::from<double>({5, 8}, {1, 2}), vector({2, 1}),
                              vector({0.5, -1}), mean, var, false, 0.25, 1);
  expect_values(y, {0.5 + 2 * 4 / 2.0, -1 + 10 / 5.0});
  expect_values(mean, {1, -2});
  expect_values(var, {3, 24});
}

TEST(BatchNorm, FrozenParametersCostNoGradient) {
  const Tensor x = batch(), weight = vector({2, 1}), bias = vector({0, 0});
  require_grad(bias);
  Tape tape;
  tape.backward(sum(batch_norm(x, weight, bias, kNone, kNone, true)));
  expect_values(grad_of(bias), {4, 4});
  EXPECT_FALSE(grad_of(x).defined());
  EXPECT_FALSE(grad_of(weight).defined());
}

// The tape must hold x and the small statistics, but not y, which nothing but the caller reads.
TEST(BatchNorm, TapeLetsGoOfTheResult) {
  const Tensor x = Tensor::zeros({64, 32});
  require_grad(x);
  Tape tape;
  const size_t before = memory_stats().live;
  (void)batch_norm(x, kNone, kNone, kNone, kNone, true);
  EXPECT_EQ(tape.size(), 1u);
  EXPECT_LT(memory_stats().live, before + x.bytes());
}

TEST(BatchNorm, RefusesWhatHasNoStatistics) {
  const Tensor one = Tensor::zeros({1, 3});
  EXPECT_THROW(batch_norm(one, kNone, kNone, kNone, kNone, true), Error);
  EXPECT_THROW(batch_norm(batch(), kNone, kNone, kNone, kNone, false), Error);
  EXPECT_THROW(batch_norm(batch(), vector({1, 1, 1}), kNone, kNone, kNone, true), Error);
}

TEST(BatchNorm, EmptyBatchLeavesTheRunningStatistics) {
  const Tensor mean = vector({1, -1}), var = vector({2, 3});
  const Tensor x = Tensor::empty({0, 2}, DType::f64);
  EXPECT_EQ(batch_norm(x, kNone, kNone, mean, var, true).shape(), x.shape());
  expect_values(mean, {1, -1});
  expect_values(var, {2, 3});
}

TEST(GroupNorm, GroupsAreNeighbouringChannels) {
  // Channels (0, 1) hold 1 3 / 5 7: mean 4, variance 5; channels (2, 3) 0 0 / 2 2: 1 and 1.
  const Tensor x = Tensor::from<double>({1, 3, 0, 0, 5, 7, 2, 2}, {1, 2, 4});
  const double a = std::sqrt(5);
  expect_values(group_norm(x, kNone, kNone, 2, 0), {-3 / a, -1 / a, -1, -1, 1 / a, 3 / a, 1, 1});
  EXPECT_THROW(group_norm(x, kNone, kNone, 3), Error);
}

TEST(LayerNorm, EachPositionByItself) {
  const Tensor x = Tensor::from<double>({1, 2, 3, 10, 10, 40}, {2, 3});
  const double a = std::sqrt(2.0 / 3), b = std::sqrt(200.0);
  expect_values(layer_norm(x, vector({1, 2, 3}), vector({0, 0, 1}), 0),
                {-1 / a, 0, 3 / a + 1, -10 / b, -20 / b, 60 / b + 1});
}

TEST(ScaleNorm, DividesByTheRootMeanSquare) {
  const Tensor x = Tensor::from<double>({3, 4, 0, 0, 0.01, 0, 0, 0}, {2, 4});
  expect_values(scale_norm(x, vector({2}), 0.5), {2.4, 3.2, 0, 0, 0.04, 0, 0, 0});
}

TEST(PRelu, ZeroTakesTheSlope) {
  const Tensor x = vector({-2, 0, 3}), slope = vector({0.5});
  require_grad(x);
  require_grad(slope);
  Tape tape;
  const Tensor y = prelu(x, slope);
  expect_values(y, {-1, 0, 3});
  tape.backward(sum(y));
  expect_values(grad_of(x), {0.5, 0.5, 1});
  expect_values(grad_of(slope), {-2});
}

}  // namespace
}  // namespace limber
