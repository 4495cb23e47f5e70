#include "tensor/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace limber {
namespace {

// The authors' generator with the state 1, 2, 3, 4.
TEST(Random, KnownNumbersOfXoshiro) {
  Random random;
  random.set_state({1, 2, 3, 4});
  for (uint64_t expected : {11520u, 0u, 1509978240u}) EXPECT_EQ(random.next(), expected);
  EXPECT_EQ(random.next(), 1215971899390074240u);
  EXPECT_EQ(random.next(), 1216172134540287360u);
}

// Seeds go through splitmix64.
TEST(Random, KnownNumbersOfASeed) {
  EXPECT_EQ(Random(0).state()[0], 0xe220a8397b1dcdafu);
  Random random(42);
  for (uint64_t expected : {0x15780b2e0c2ec716u, 0x6104d9866d113a7eu, 0xae17533239e499a1u})
    EXPECT_EQ(random.next(), expected);
}

struct Moments {
  double mean = 0, variance = 0, skew = 0, kurtosis = 0, low = 1e300, high = -1e300;
};

template <class Draw>
Moments moments(const Draw& draw, int n = 200000) {
  std::vector<double> values;
  Moments m;
  for (int i = 0; i < n; ++i) values.push_back(draw());
  for (double v : values) {
    m.mean += v / n;
    m.low = std::min(m.low, v);
    m.high = std::max(m.high, v);
  }
  for (double v : values) {
    const double d = v - m.mean;
    m.variance += d * d / n;
    m.skew += d * d * d / n;
    m.kurtosis += d * d * d * d / n;
  }
  m.skew /= std::pow(m.variance, 1.5);
  m.kurtosis /= m.variance * m.variance;
  return m;
}

// Bounds are about five standard errors of the estimate with 200000 numbers.
TEST(Random, UniformMoments) {
  Random random(7);
  const Moments m = moments([&] { return random.uniform(-1, 3); });
  EXPECT_NEAR(m.mean, 1, 0.013);
  EXPECT_NEAR(m.variance, 16.0 / 12, 0.014);
  EXPECT_NEAR(m.kurtosis, 1.8, 0.01);
  EXPECT_GE(m.low, -1);
  EXPECT_LT(m.low, -0.999);
  EXPECT_LT(m.high, 3);
  EXPECT_GT(m.high, 2.999);
}

TEST(Random, NormalMoments) {
  Random random(8);
  const Moments m = moments([&] { return random.normal(); });
  EXPECT_NEAR(m.mean, 0, 0.011);
  EXPECT_NEAR(m.variance, 1, 0.016);
  EXPECT_NEAR(m.skew, 0, 0.028);
  EXPECT_NEAR(m.kurtosis, 3, 0.055);
}

// On [-1, 2]: mean (f(-1) - f(2)) / Z with f the density and Z the mass 0.8186 of the interval.
TEST(Random, TruncatedNormalMoments) {
  Random random(9);
  const Moments m = moments([&] { return random.truncated_normal(-1, 2); });
  EXPECT_NEAR(m.mean, 0.229637, 0.009);
  EXPECT_GE(m.low, -1);
  EXPECT_LE(m.high, 2);
  EXPECT_THROW(random.truncated_normal(1, 1), Error);
}

TEST(Random, IntegersAreEvenlySpread) {
  Random random(10);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70000; ++i) {
    const int64_t v = random.integer(-3, 4);
    ASSERT_TRUE(v >= -3 && v < 4);
    ++counts[size_t(v + 3)];
  }
  for (int count : counts) EXPECT_NEAR(count, 10000, 470);
  EXPECT_THROW(random.integer(2, 2), Error);
}

TEST(Random, ChanceHitsItsProbability) {
  Random random(11);
  int hits = 0;
  for (int i = 0; i < 100000; ++i) hits += random.chance(0.3);
  EXPECT_NEAR(hits, 30000, 730);
  EXPECT_FALSE(random.chance(0));
  EXPECT_TRUE(random.chance(1));
}

TEST(Random, RestoredStateGoesOnWithTheSameNumbers) {
  Random random(12);
  (void)random.normal();
  const Random::State saved = random.state();
  std::vector<double> first, second;
  for (int i = 0; i < 5; ++i) first.push_back(i % 2 ? random.normal() : random.uniform());
  Random resumed(99);
  resumed.set_state(saved);
  for (int i = 0; i < 5; ++i) second.push_back(i % 2 ? resumed.normal() : resumed.uniform());
  EXPECT_EQ(first, second);
}

TEST(Random, MixedSeedsDiffer) {
  EXPECT_NE(mix_seed(1, uint64_t{2}), mix_seed(2, uint64_t{1}));
  EXPECT_NE(mix_seed(1, uint64_t{0}), mix_seed(0, uint64_t{1}));
  EXPECT_NE(mix_seed(5, "loader"), mix_seed(5, "dropout"));
  EXPECT_EQ(mix_seed(5, "loader"), mix_seed(5, "loader"));
}

}  // namespace
}  // namespace limber
