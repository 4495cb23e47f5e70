// Convolutions against numbers worked out by hand: the suites compare kernels with each other.
#include <gtest/gtest.h>

#include "tensor/ops.h"

namespace limber {
namespace {

Tensor numbers(const std::vector<float>& values, const Shape& shape) {
  return Tensor::from(values, shape);
}

void expect_numbers(const Tensor& y, const Shape& shape, const std::vector<float>& values) {
  ASSERT_EQ(y.shape(), shape);
  for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(y.data<float>()[i], values[i]) << i;
}

const Tensor kImage = numbers({1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 3, 3, 1});
const Tensor kSquare = numbers({1, 2, 3, 4}, {1, 2, 2, 1});

TEST(Conv, ForwardDoesNotFlipTheKernel) {
  expect_numbers(conv2d(kImage, kSquare, numbers({0.5}, {1}), {}), {1, 2, 2, 1},
                 {37.5, 47.5, 67.5, 77.5});
}

TEST(Conv, PaddingIsZeroAndStrideSkips) {
  expect_numbers(conv2d(kImage, kSquare, {}, {.stride = {2, 2}, .padding = {1, 1}}), {1, 2, 2, 1},
                 {4, 18, 36, 77});
}

TEST(Conv, GroupsSeeTheirOwnChannels) {
  const Tensor weight = numbers({1, 1, 1, -1, 1, 1, 1, -1}, {4, 1, 1, 2});
  expect_numbers(conv2d(numbers({1, 2, 3, 4}, {1, 1, 1, 4}), weight, {}, {.groups = 2}),
                 {1, 1, 1, 4}, {3, -1, 7, -1});
}

TEST(Conv, TransposedScattersTheKernel) {
  const Tensor x = numbers({1, 2, 3, 4}, {1, 2, 2, 1});
  expect_numbers(conv_transpose2d(x, kSquare, {}, {}), {1, 3, 3, 1},
                 {1, 4, 4, 6, 20, 16, 9, 24, 16});
  expect_numbers(conv_transpose2d(x, kSquare, {}, {.stride = {2, 2}, .padding = {1, 1}}, {1, 0}),
                 {1, 3, 2, 1}, {4, 6, 6, 4, 12, 12});
}

TEST(Conv, ErrorsNameTheShapes) {
  try {
    conv2d(kImage, Tensor::zeros({4, 3, 3, 2}), {}, {});
    FAIL() << "two channels fitted one";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(),
                 "conv2d: input has 1 channels, weight expects 2 (input (1, 3, 3, 1), weight "
                 "(4, 3, 3, 2), groups 1)");
  }
  EXPECT_THROW(conv2d(kImage, Tensor::zeros({1, 5, 5, 1}), {}, {}), Error);
  EXPECT_THROW(conv_transpose2d(kImage, kSquare, {}, {}, {1, 1}), Error);
}

}  // namespace
}  // namespace limber
