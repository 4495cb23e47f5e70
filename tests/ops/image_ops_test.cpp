// Conventions of pooling and resizing, pinned by small numbers: worked out by hand where that is
// easy, the cubic ones as PyTorch 1.13 prints them.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "autograd/autograd.h"
#include "tensor/ops.h"

namespace limber {
namespace {

// One row of pixels with one channel.
Tensor line(const std::vector<double>& values) {
  return Tensor::from<double>(values, {1, 1, int64_t(values.size()), 1});
}

void expect_line(const Tensor& y, const std::vector<double>& values) {
  ASSERT_EQ(y.shape(), (Shape{1, 1, int64_t(values.size()), 1}));
  for (size_t i = 0; i < values.size(); ++i)
    EXPECT_NEAR(y.data<double>()[i], values[i], 1e-9) << "element " << i;
}

// Along columns alone.
PoolGeometry columns(int kernel, int stride, int padding, bool ceil_mode, bool count = true) {
  return {{1, kernel}, {1, stride}, {0, padding}, ceil_mode, count};
}

TEST(MaxPool, LastWindowOfCeilModeMustStartInsideOrInTheLeftPadding) {
  expect_line(max_pool2d(line({1, 2, 3, 4, 5, 6}), columns(2, 3, 1, true)), {1, 4, 6});
  expect_line(max_pool2d(line({1, 5, 2, 8, 3, 7}), columns(3, 2, 0, true)), {5, 8, 7});
  expect_line(max_pool2d(line({1, 5, 2, 8, 3, 7}), columns(3, 2, 0, false)), {5, 8});
  expect_line(max_pool2d(line({5, 1, 4, 2, 3}), columns(2, 2, 1, true)), {5, 4, 3});
  expect_line(max_pool2d(line({5, 1, 4, 2, 3, 9}), columns(2, 2, 1, true)), {5, 4, 3, 9});
}

TEST(MaxPool, PaddingNeverWins) {
  expect_line(max_pool2d(line({-3, -2, -5}), columns(3, 1, 1, false)), {-2, -2, -2});
}

TEST(MaxPool, GradientGoesToTheFirstMaximumOfARowMajorScan) {
  const Tensor x = Tensor::from<double>({1, 4, 4, 2, 4, 3}, {1, 3, 2, 1});
  require_grad(x);
  Tape tape;
  tape.backward(sum(max_pool2d(x, {{3, 2}, {1, 1}})));
  EXPECT_EQ(std::vector<double>(grad_of(x).span<double>().begin(), grad_of(x).span<double>().end()),
            (std::vector<double>{0, 1, 0, 0, 0, 0}));
}

TEST(MaxPool, NanIsNotSwallowed) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Tensor y = max_pool2d(line({nan, 2, 3, nan, 5, 6}), columns(2, 2, 0, false));
  EXPECT_TRUE(std::isnan(y.data<double>()[0]));
  EXPECT_TRUE(std::isnan(y.data<double>()[1]));
  EXPECT_EQ(y.data<double>()[2], 6);
}

TEST(Pool, ImpossibleGeometryThrows) {
  EXPECT_THROW(max_pool2d(line({1, 2}), columns(3, 1, 0, true)), Error);
  EXPECT_THROW(avg_pool2d(line({1, 2, 3}), columns(3, 1, 2, false)), Error);
  EXPECT_THROW(avg_pool2d(line({1, 2, 3}), columns(3, 0, 0, false)), Error);
  EXPECT_THROW(adaptive_avg_pool2d(line({1, 2, 3}), 1, 0), Error);
}

TEST(AvgPool, PaddingCountsUpToTheEndOfThePaddedImage) {
  const Tensor x = line({1, 5, 2, 8, 3, 7});
  // Padded: 0 1 5 2 8 3 7 0. The last windows hold {7, 0} and, past the padding, nothing more.
  expect_line(avg_pool2d(x, columns(3, 2, 1, true)), {2, 5, 6, 3.5});
  expect_line(avg_pool2d(x, columns(3, 2, 1, true, false)), {3, 5, 6, 7});
  expect_line(avg_pool2d(x, columns(4, 3, 1, true)), {2, 5, 3.5});
  expect_line(avg_pool2d(x, columns(4, 3, 1, true, false)), {8.0 / 3, 5, 7});
}

TEST(AdaptiveAvgPool, WindowsOverlapWhereSizesDoNotDivide) {
  // [0, 3), [2, 5), [4, 7)
  expect_line(adaptive_avg_pool2d(line({1, 2, 4, 8, 16, 32, 64}), 1, 3),
              {7.0 / 3, 28.0 / 3, 112.0 / 3});
  expect_line(adaptive_avg_pool2d(line({1, 2}), 1, 3), {1, 1.5, 2});
}

TEST(Resize, Nearest) {
  expect_line(resize(line({1, 2, 4, 8}), 1, 7, Interpolation::nearest), {1, 1, 2, 2, 4, 4, 8});
  expect_line(resize(line({1, 2, 4, 8}), 1, 3, Interpolation::nearest), {1, 2, 4});
}

// 41 * 2 / 82 is 1, but 2 / 82 rounds down in single precision, and PyTorch computes in that.
TEST(Resize, NearestRoundsItsRatioToSinglePrecision) {
  const Tensor y = resize(line({1, 2}), 1, 82, Interpolation::nearest);
  EXPECT_EQ(y.data<double>()[41], 1);
  EXPECT_EQ(y.data<double>()[42], 2);
}

TEST(Resize, BilinearWithHalfPixelCentresStopsAtTheBorder) {
  // Centres (i + 1/2) 4/7 - 1/2: -3/14 (clamped to 0), 5/14, 13/14, 21/14, ...
  expect_line(resize(line({1, 2, 4, 8}), 1, 7, Interpolation::bilinear),
              {1, 1 + 5.0 / 14, 1 + 13.0 / 14, 3, 4 + 4.0 / 14, 6 + 8.0 / 14, 8});
  expect_line(resize(line({1, 2, 4, 8}), 1, 2, Interpolation::bilinear), {1.5, 6});
}

TEST(Resize, BilinearAligned) {
  expect_line(resize(line({1, 2, 4, 8}), 1, 7, Interpolation::bilinear, true),
              {1, 1.5, 2, 3, 4, 6, 8});
  expect_line(resize(line({1, 2, 4, 8}), 1, 1, Interpolation::bilinear, true), {1});
}

TEST(Resize, Bicubic) {
  expect_line(resize(line({1, 2, 4, 8}), 1, 7, Interpolation::bicubic),
              {0.9007835277, 1.2177478134, 1.8504008746, 2.71875, 4.3212463557, 6.7600218659,
               8.3968658892});
  expect_line(resize(line({1, 2, 4, 8}), 1, 2, Interpolation::bicubic), {1.3125, 6.1875});
  expect_line(resize(line({1, 2, 4, 8}), 1, 7, Interpolation::bicubic, true),
              {1, 1.3125, 2, 2.71875, 4, 6.1875, 8});
}

}  // namespace
}  // namespace limber
