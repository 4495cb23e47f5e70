// Values, edge cases and errors of ops that the table of cases cannot state: ties, positions,
// special numbers, random masks.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "autograd/autograd.h"
#include "tensor/ops.h"
#include "tensor/random.h"
#include "tests/support/tensors.h"

namespace limber {
namespace {

using Floats = std::vector<float>;
using Longs = std::vector<int64_t>;

Tensor row(const Floats& values) { return Tensor::from(values, {int64_t(values.size())}); }

template <class T>
std::vector<T> list(const Tensor& t) {
  return {t.data<T>(), t.data<T>() + t.numel()};
}

// Gradient of sum(y) for x.
template <class F>
Floats gradient(const Tensor& x, const F& f) {
  require_grad(x);
  set_grad(x, {});
  Tape tape;
  tape.backward(sum(f(x)));
  return list<float>(grad_of(x));
}

TEST(IndexOps, TiesGoToTheFirst) {
  const Tensor x = row({1, 3, 3, -2, -2});
  EXPECT_EQ(argmax(x, 0).item(), 1);
  EXPECT_EQ(gradient(x, [](const Tensor& t) { return max(t, 0); }), (Floats{0, 1, 0, 0, 0}));
  EXPECT_EQ(gradient(x, [](const Tensor& t) { return min(t, 0); }), (Floats{0, 0, 0, 1, 0}));
  const auto [values, at] = topk(x, 4);
  EXPECT_EQ(list<float>(values), (Floats{3, 3, 1, -2}));
  EXPECT_EQ(list<int64_t>(at), (Longs{1, 2, 0, 3}));
}

TEST(IndexOps, ArgmaxOfDoublesAlongAnyDimension) {
  const Tensor x = Tensor::from(std::vector<double>{1, 5, 2, 7, 3, 6}, {3, 2});
  EXPECT_EQ(list<int64_t>(argmax(x, 0)), (Longs{2, 1}));
  EXPECT_EQ(list<int64_t>(argmax(x, -1)), (Longs{1, 1, 1}));
}

TEST(IndexOps, NotANumberWins) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(argmax(row({1, nan, 2, nan}), 0).item(), 1);
  EXPECT_TRUE(std::isnan(min(row({1, nan, 2}), 0).item()));
  for (int64_t n : {40, 50}) {  // in a whole vector, and in the rest of one
    Tensor x = test::uniform({50}, -1, 1, 3);
    x.data<float>()[n - 1] = nan;
    EXPECT_EQ(argmax(x, 0).item(), double(n - 1));
  }
  EXPECT_EQ(list<int64_t>(topk(row({1, nan, 2}), 2).second), (Longs{1, 2}));
}

TEST(IndexOps, SelectsIntegersAndRefusesBadIndices) {
  const Tensor x = Tensor::from(Longs{10, 11, 12}, {3});
  EXPECT_EQ(list<int64_t>(index_select(x, 0, Tensor::from(Longs{2, 0, 2}, {3}))),
            (Longs{12, 10, 12}));
  try {
    index_select(x, 0, Tensor::from(Longs{1, 3}, {2}));
    FAIL() << "nothing thrown";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("index 3 lies outside a dimension of 3"),
              std::string::npos)
        << e.what();
  }
  EXPECT_THROW(gather(x, 0, Tensor::from(Longs{-1}, {1})), Error);
  EXPECT_THROW(gather(x, 0, row({0})), Error);
  EXPECT_THROW(topk(row({1, 2}), 3), Error);
}

TEST(Norm, ZeroVectorHasGradientZero) {
  EXPECT_EQ(gradient(row({0, 0}), [](const Tensor& x) { return norm(x, 0); }), (Floats{0, 0}));
  EXPECT_EQ(norm(row({0, 0}), 0).item(), 0);
  EXPECT_EQ(norm(row({3, 4}), 0).item(), 5);
}

TEST(Power, GradientsAtZero) {
  const Tensor zero = Tensor::zeros({1}), two = Tensor::full({1}, 2);
  EXPECT_EQ(gradient(zero, [&](const Tensor& a) { return pow(a, two); }), Floats{0});
  EXPECT_EQ(gradient(zero, [&](const Tensor& b) { return pow(two, b); }),
            Floats{float(std::log(2))});
  EXPECT_EQ(gradient(two, [&](const Tensor& b) { return pow(zero, b); }), Floats{0});
  EXPECT_EQ(gradient(zero, [&](const Tensor& a) { return pow(a, Tensor::zeros({1})); }), Floats{0});
}

TEST(Power, WholeExponents) {
  const Floats bases{-2, 0, 0.5, 3};
  for (const double exponent : {0, 1, 2, 3, 5, 8, 9}) {
    const Floats powers = list<float>(pow(row(bases), exponent));
    for (size_t i = 0; i < bases.size(); ++i)
      EXPECT_FLOAT_EQ(powers[i], float(std::pow(bases[i], exponent)));
  }
}

TEST(Softplus, FarFromZero) {
  EXPECT_FLOAT_EQ(float(softplus(row({-30})).item()), std::exp(-30.0f));
  EXPECT_EQ(softplus(row({100})).item(), 100);
  EXPECT_EQ(log_sigmoid(row({-200})).item(), -200);
}

TEST(Attention, MasksWholeBlocksOfKeys) {
  // -infinity hides keys, here more than a block of them in front.
  constexpr int64_t S = 200, hidden = 130;
  const Tensor q = test::uniform({1, 1, 3, 8}, -1, 1, 1), k = test::uniform({1, 1, S, 8}, -1, 1, 2);
  const Tensor v = test::uniform({1, 1, S, 8}, -1, 1, 3);
  Tensor bias = Tensor::zeros({S});
  for (int64_t i = 0; i < hidden; ++i)
    bias.data<float>()[i] = -std::numeric_limits<float>::infinity();
  const Tensor masked = attention(q, k, v, bias, 0.3);
  const Tensor rest = attention(q, slice(k, 2, hidden, S), slice(v, 2, hidden, S), {}, 0.3);
  for (int64_t i = 0; i < rest.numel(); ++i)
    EXPECT_NEAR(masked.data<float>()[i], rest.data<float>()[i], 1e-6);
}

TEST(Attention, AgreesWithItsThreeSteps) {
  const Tensor q = test::uniform({2, 2, 70, 32}, -1, 1, 1),
               k = test::uniform({2, 2, 90, 32}, -1, 1, 2);
  const Tensor v = test::uniform({2, 2, 90, 16}, -1, 1, 3);
  const Tensor steps = matmul(softmax(matmul(q, k, false, true) * 0.2), v);
  const Tensor fused = attention(q, k, v, {}, 0.2);
  for (int64_t i = 0; i < steps.numel(); ++i)
    ASSERT_NEAR(fused.data<float>()[i], steps.data<float>()[i], 2e-6);
}

TEST(Attention, RefusesWhatDoesNotFit) {
  const Tensor q = Tensor::zeros({1, 2, 3, 4}), k = Tensor::zeros({1, 2, 5, 4});
  EXPECT_THROW(attention(q, k, Tensor::zeros({1, 2, 6, 4}), {}, 1), Error);
  EXPECT_THROW(attention(q, k, k, Tensor::zeros({4, 5}), 1), Error);
}

TEST(Dropout, KeepsTheMeanAndFollowsTheSeed) {
  const Tensor x = Tensor::full({100000}, 1);
  op_random() = Random(5);
  const Tensor a = dropout(x, 0.3, true);
  op_random() = Random(5);
  const Tensor b = dropout(x, 0.3, true), c = dropout(x, 0.3, true);
  EXPECT_EQ(list<float>(a), list<float>(b));
  EXPECT_NE(list<float>(b), list<float>(c));
  // The standard error of the mean is 0.002.
  EXPECT_NEAR(mean(a).item(), 1, 0.01);
  for (float v : list<float>(a)) ASSERT_TRUE(v == 0 || std::abs(v - 1 / 0.7f) < 1e-6f);
  EXPECT_EQ(gradient(x,
                     [](const Tensor& t) {
                       op_random() = Random(5);
                       return dropout(t, 0.3, true);
                     }),
            list<float>(a));
}

TEST(Dropout, LimitsAndIdentity) {
  const Tensor x = test::uniform({4, 3}, 1, 2, 1);
  EXPECT_EQ(dropout(x, 0.5, false).id(), x.id());
  EXPECT_EQ(drop_path(x, 0, true).id(), x.id());
  EXPECT_EQ(list<float>(dropout(x, 1, true)), Floats(12, 0));
  EXPECT_THROW(dropout(x, 1.5, true), Error);
}

TEST(Dropout, DropPathTakesWholeSamples) {
  op_random() = Random(2);
  const Tensor y = drop_path(Tensor::full({1000, 2, 3}, 1), 0.25, true);
  int dropped = 0;
  for (int64_t n = 0; n < 1000; ++n) {
    const float* sample = y.data<float>() + n * 6;
    for (int i = 1; i < 6; ++i) ASSERT_EQ(sample[i], sample[0]);
    dropped += sample[0] == 0;
  }
  EXPECT_NEAR(dropped, 250, 60);
}

}  // namespace
}  // namespace limber
