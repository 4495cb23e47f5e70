#include "nn/blocks/gau.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/autograd.h"
#include "tests/support/tensors.h"

namespace limber {
namespace {

constexpr int64_t kTokens = 5, kWidth = 6, kS = 4;

GauOptions small() {
  GauOptions o{.tokens = kTokens, .in = kWidth, .out = kWidth};
  o.s = kS;
  o.relative_bias = false;
  return o;
}

double norm_of(const Tensor& x, int64_t row) {
  double square = 0;
  for (int64_t i = 0; i < x.size(-1); ++i)
    square += std::pow(x.data<double>()[row * x.size(-1) + i], 2);
  return std::sqrt(square);
}

TEST(Gau, RotationKeepsLengthsAndLeavesTheFirstToken) {
  const Tensor x = test::uniform({1, 3, 8}, -1, 1, 1, DType::f64);
  const Tensor y = rotary_embedding(x);
  for (int64_t i = 0; i < 8; ++i) EXPECT_EQ(y.data<double>()[i], x.data<double>()[i]);
  for (int64_t row = 0; row < 3; ++row) EXPECT_NEAR(norm_of(y, row), norm_of(x, row), 1e-6);
  // The slowest pair turns by one radian per token.
  const double a = x.data<double>()[8], b = x.data<double>()[12];
  EXPECT_NEAR(y.data<double>()[8], a * std::cos(1) - b * std::sin(1), 1e-6);
}

// Moves every parameter by a central difference along one direction and compares with the tape.
template <class Forward>
void expect_gradients(ParameterStore& store, const Forward& forward) {
  for (const Parameter& p : store.all()) require_grad(p.value);
  {
    Tape tape;
    tape.backward(forward());
  }
  for (const Parameter& p : store.all()) {
    const Tensor direction = test::uniform(p.value.shape(), -1, 1, 7, DType::f64);
    const auto move = [&](double step) {
      for (int64_t i = 0; i < p.value.numel(); ++i)
        p.value.data<double>()[i] += step * direction.data<double>()[i];
    };
    const NoRecord no_record;
    constexpr double kStep = 1e-6;
    move(kStep);
    const double above = forward().item();
    move(-2 * kStep);
    const double below = forward().item();
    move(kStep);
    const Tensor grad = grad_of(p.value);
    ASSERT_TRUE(grad.defined()) << p.name;
    double slope = 0;
    for (int64_t i = 0; i < grad.numel(); ++i)
      slope += grad.data<double>()[i] * direction.data<double>()[i];
    EXPECT_NEAR(slope, (above - below) / (2 * kStep), 1e-6 * (1 + std::abs(slope))) << p.name;
  }
}

TEST(Gau, GradientsOfSelfAttention) {
  ParameterStore store(3, true, DType::f64);
  GauOptions o = small();
  o.relative_bias = o.rotary = o.bias = true;
  const Gau gau(Scope(store), o);
  const Tensor x = test::uniform({2, kTokens, kWidth}, -1, 1, 2, DType::f64);
  const Tensor position = test::uniform({kTokens, kS}, -1, 1, 4, DType::f64);
  expect_gradients(store, [&] { return sum(square(gau(x, position))); });
}

TEST(Gau, GradientsOfCrossAttention) {
  ParameterStore store(3, true, DType::f64);
  GauOptions o = small();
  o.cross = o.relative_bias = o.rotary = true;
  const Gau gau(Scope(store), o);
  const Tensor x = test::uniform({2, kTokens, kWidth}, -1, 1, 2, DType::f64);
  const Tensor other = test::uniform({2, 3, kWidth}, -1, 1, 5, DType::f64);
  EXPECT_EQ(gau(x, other, other).shape(), x.shape());
  expect_gradients(store, [&] { return sum(square(gau(x, other, other))); });
}

TEST(Gau, RelativeBiasDependsOnTheDistanceAlone) {
  // With queries and keys of 0 the attention is relu(w[K - 1 + k - q] / sqrt(s))^2.
  ParameterStore store(1, true, DType::f64);
  GauOptions o = small();
  o.out = kWidth + 1;  // no shortcut
  o.relative_bias = true;
  const Gau gau(Scope(store), o);
  const auto fill = [&](const char* name, double value) {
    for (double& v : store.at(name).value.span<double>()) v = value;
  };
  fill("gamma", 0);
  fill("beta", 0);
  fill("w", 0);
  // Only what lies one token behind is seen: the first token sees nothing.
  store.at("w").value.data<double>()[kTokens - 2] = 3;
  const Tensor x = test::uniform({1, kTokens, kWidth}, -1, 1, 2, DType::f64);
  const Tensor y = gau(x);
  for (int64_t i = 0; i < kWidth + 1; ++i) EXPECT_EQ(y.data<double>()[i], 0);
  EXPECT_GT(norm_of(y, 1), 0);
}

TEST(Gau, RefusesWrongUse) {
  ParameterStore store;
  GauOptions o = small();
  o.relative_bias = true;
  const Gau gau(Scope(store), o);
  EXPECT_THROW(gau(Tensor::zeros({1, kTokens + 1, kWidth})), Error);
  const Tensor x = Tensor::zeros({1, kTokens, kWidth});
  EXPECT_THROW(gau(x, x, x), Error);
}

}  // namespace
}  // namespace limber
