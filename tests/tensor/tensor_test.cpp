#include "tensor/tensor.h"

#include <gtest/gtest.h>

namespace limber {
namespace {

TEST(Shape, BroadcastFollowsNumpy) {
  EXPECT_EQ(broadcast({8, 1, 3}, {4, 1}, "add"), (Shape{8, 4, 3}));
  EXPECT_EQ(broadcast({}, {2, 3}, "add"), (Shape{2, 3}));
  EXPECT_THROW(broadcast({2, 3}, {4}, "add"), Error);
}

TEST(Shape, ErrorNamesShapeAndDimension) {
  try {
    (void)Shape{2, 3}[5];
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "shape (2, 3) has no dimension 5");
  }
}

TEST(Tensor, AliasSharesStorage) {
  Tensor t = Tensor::from<float>(std::vector<float>{0, 1, 2, 3, 4, 5}, {2, 3});
  Tensor row = t.alias({3}, 3);
  row.data<float>()[0] = 9;
  EXPECT_EQ(t.data<float>()[3], 9);
  EXPECT_THROW(t.alias({4}, 3), Error);
}

TEST(Tensor, AccessWithWrongTypeThrows) {
  Tensor t = Tensor::zeros({2}, DType::i64);
  EXPECT_THROW(t.data<float>(), Error);
  EXPECT_EQ(t.to(DType::f32).dtype(), DType::f32);
}

TEST(Storage, FreedBlocksAreReusedAndCounted) {
  const size_t before = memory_stats().live;
  {
    Tensor t = Tensor::empty({1000});
    EXPECT_GE(memory_stats().live, before + 4000);
  }
  EXPECT_EQ(memory_stats().live, before);
}

}  // namespace
}  // namespace limber
