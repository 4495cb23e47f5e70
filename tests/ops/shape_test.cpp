// Values of the shape operations on small numbers written out, on every element type, and their
// errors. Gradients are checked by the table of op cases.
#include <gtest/gtest.h>

#include <numeric>

#include "tensor/ops.h"

namespace limber {
namespace {

// 0, 1, 2, ...
template <class T = int64_t>
Tensor count(const Shape& shape) {
  std::vector<T> values(static_cast<size_t>(shape.numel()));
  std::iota(values.begin(), values.end(), T(0));
  return Tensor::from(values, shape);
}

template <class T>
std::vector<T> list(const Tensor& t) {
  return {t.data<T>(), t.data<T>() + t.numel()};
}

using Longs = std::vector<int64_t>;

TEST(ShapeOps, PermuteMovesEveryElementType) {
  const Longs expected{0, 3, 1, 4, 2, 5};
  EXPECT_EQ(list<int64_t>(transpose(count({2, 3}), 0, 1)), expected);
  EXPECT_EQ(list<uint8_t>(transpose(count<uint8_t>({2, 3}), 0, 1)),
            std::vector<uint8_t>(expected.begin(), expected.end()));
  EXPECT_EQ(list<double>(transpose(count<double>({2, 3}), 0, 1)),
            std::vector<double>(expected.begin(), expected.end()));
}

TEST(ShapeOps, PermuteAgreesWithIndexing) {
  const Tensor x = count<uint8_t>({5, 3, 7, 2});
  const Tensor y = permute(x, {2, 0, 3, 1});
  ASSERT_EQ(y.shape(), Shape({7, 5, 2, 3}));
  for (int64_t a = 0; a < 5; ++a)
    for (int64_t b = 0; b < 3; ++b)
      for (int64_t c = 0; c < 7; ++c)
        for (int64_t d = 0; d < 2; ++d)
          ASSERT_EQ(y.data<uint8_t>()[((c * 5 + a) * 2 + d) * 3 + b],
                    x.data<uint8_t>()[((a * 3 + b) * 7 + c) * 2 + d]);
}

TEST(ShapeOps, PermuteOfOnesIsAView) {
  const Tensor x = count({3, 1, 4});
  EXPECT_TRUE(permute(x, {1, 0, 2}).same_storage(x));
  EXPECT_EQ(permute(x, {1, 0, 2}).shape(), Shape({1, 3, 4}));
}

TEST(ShapeOps, SlicesClampAndStep) {
  const Tensor x = count({7});
  EXPECT_EQ(list<int64_t>(slice(x, 0, -3, 100)), (Longs{4, 5, 6}));
  EXPECT_EQ(list<int64_t>(slice(x, 0, 1, -1, 2)), (Longs{1, 3, 5}));
  EXPECT_EQ(slice(x, 0, 5, 2).shape(), Shape({0}));
  EXPECT_TRUE(slice(x, 0, 2, 4).same_storage(x));
  EXPECT_EQ(list<int64_t>(slice(count({2, 4}), 1, 1, 3)), (Longs{1, 2, 5, 6}));
}

TEST(ShapeOps, FlipAndRoll) {
  EXPECT_EQ(list<int64_t>(flip(count({2, 3}), 1)), (Longs{2, 1, 0, 5, 4, 3}));
  EXPECT_EQ(list<int64_t>(flip(count({2, 3}), 0)), (Longs{3, 4, 5, 0, 1, 2}));
  EXPECT_EQ(list<int64_t>(roll(count({4}), 0, 1)), (Longs{3, 0, 1, 2}));
  EXPECT_EQ(list<int64_t>(roll(count({4}), 0, -5)), (Longs{1, 2, 3, 0}));
}

TEST(ShapeOps, ConcatSplitStack) {
  const Tensor a = count({2, 2}), b = count({2, 1});
  EXPECT_EQ(list<int64_t>(concat({a, b}, 1)), (Longs{0, 1, 0, 2, 3, 1}));
  const auto parts = split(concat({a, b}, 1), Longs{2, 1}, -1);
  EXPECT_EQ(list<int64_t>(parts[0]), list<int64_t>(a));
  EXPECT_EQ(list<int64_t>(parts[1]), list<int64_t>(b));
  const Tensor layers = stack(std::vector<Tensor>{a, a}, -1);
  EXPECT_EQ(layers.shape(), Shape({2, 2, 2}));
  EXPECT_EQ(list<int64_t>(layers), (Longs{0, 0, 1, 1, 2, 2, 3, 3}));
}

TEST(ShapeOps, PadAndCrop) {
  using Amounts = std::vector<std::pair<int64_t, int64_t>>;
  EXPECT_EQ(list<int64_t>(pad(count({2, 2}), Amounts{{1, 0}, {0, 1}}, 9)),
            (Longs{9, 9, 9, 0, 1, 9, 2, 3, 9}));
  EXPECT_EQ(list<int64_t>(pad(count({2, 3}), Amounts{{0, 0}, {-1, -1}})), (Longs{1, 4}));
  EXPECT_EQ(list<uint8_t>(pad_image(count<uint8_t>({1, 1, 2, 1}), 0, 1, 1, -1, 7)),
            (std::vector<uint8_t>{7, 0, 7, 7}));
}

TEST(ShapeOps, PixelShuffleOrder) {
  // Channel c r r + i r + j of a pixel is channel c at offset (i, j): torch.nn.PixelShuffle.
  const Tensor y = pixel_shuffle(count({1, 1, 1, 8}), 2);
  EXPECT_EQ(y.shape(), Shape({1, 2, 2, 2}));
  EXPECT_EQ(list<int64_t>(y), (Longs{0, 4, 1, 5, 2, 6, 3, 7}));
}

TEST(ShapeOps, ErrorsNameTheShapes) {
  const auto message = [](const auto& call) -> std::string {
    try {
      call();
    } catch (const Error& e) {
      return e.what();
    }
    return "nothing thrown";
  };
  const Tensor x = count<float>({2, 3});
  EXPECT_NE(message([&] {
              concat({x, count<float>({2, 4})}, 0);
            }).find("(2, 4)"),
            std::string::npos);
  EXPECT_NE(message([&] { permute(x, {0, 0}); }).find("twice"), std::string::npos);
  EXPECT_NE(message([&] { chunk(x, 2, 1); }).find("does not divide"), std::string::npos);
  EXPECT_NE(message([&] { expand(x, {2, 4}); }).find("(2, 3)"), std::string::npos);
  EXPECT_NE(message([&] { concat({x, count({2, 3})}, 0); }).find("i64"), std::string::npos);
}

}  // namespace
}  // namespace limber
