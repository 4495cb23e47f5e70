#include "autograd/autograd.h"

#include <gtest/gtest.h>

#include "tensor/ops.h"
#include "tests/support/tensors.h"

namespace limber {
namespace {

TEST(Tape, UsedTwiceAddsUp) {
  const Tensor x = test::uniform({3}, 1, 2, 1);
  require_grad(x);
  Tape tape;
  tape.backward(sum(x * x + x));
  for (int i = 0; i < 3; ++i)
    EXPECT_FLOAT_EQ(grad_of(x).data<float>()[i], 2 * x.data<float>()[i] + 1);
}

TEST(Tape, GradientsAccumulateOverBackwards) {
  const Tensor x = Tensor::full({2}, 3);
  require_grad(x);
  for (int i = 0; i < 2; ++i) {
    Tape tape;
    tape.backward(sum(x * 2.0));
  }
  EXPECT_FLOAT_EQ(grad_of(x).data<float>()[0], 4);
}

TEST(Tape, DetachedPathGetsNothing) {
  const Tensor x = Tensor::full({2}, 3);
  require_grad(x);
  Tape tape;
  tape.backward(sum(detach(x) * x));
  EXPECT_FLOAT_EQ(grad_of(x).data<float>()[0], 3);
}

TEST(Tape, KeepsNothingOfUnrecordedWork) {
  const Tensor x = Tensor::full({2}, 3);
  Tape tape;
  (void)relu(x);
  EXPECT_EQ(tape.size(), 0u);
  require_grad(x);
  {
    const NoRecord off;
    (void)relu(x);
  }
  EXPECT_EQ(tape.size(), 0u);
  (void)relu(x);
  EXPECT_EQ(tape.size(), 1u);
}

TEST(Tape, MemoryIsFreedByBackward) {
  const Tensor x = Tensor::full({1000}, 1);
  require_grad(x);
  Tape tape;
  Tensor y = x;
  for (int i = 0; i < 10; ++i) y = sigmoid(y);
  const Tensor loss = sum(y);
  y = Tensor();
  const size_t before = memory_stats().live;
  tape.backward(loss);
  EXPECT_LT(memory_stats().live + 8 * 4000, before);
}

// The sum of many gradients is made in place, but never in a tensor that somebody else may hold.
TEST(Tape, AccumulationLeavesSharedTensorsAlone) {
  const Tensor x = Tensor::full({3}, 2), y = Tensor::full({3}, 5);
  require_grad(x);
  require_grad(y);
  const Tensor seed = Tensor::full({3}, 1);
  {
    // x + y hands one gradient, the seed itself, to both; x then receives three more.
    Tape tape;
    tape.backward(((x + y) + x) + (x + x), seed);
  }
  EXPECT_FLOAT_EQ(grad_of(x).data<float>()[0], 4);
  EXPECT_FLOAT_EQ(grad_of(y).data<float>()[0], 1);
  EXPECT_FLOAT_EQ(seed.data<float>()[0], 1);
  const Tensor held = grad_of(x);
  {
    Tape tape;
    tape.backward((x + x) + (x + x), seed);
  }
  EXPECT_FLOAT_EQ(grad_of(x).data<float>()[0], 8);
  EXPECT_FLOAT_EQ(held.data<float>()[0], 4);
  EXPECT_FLOAT_EQ(seed.data<float>()[0], 1);
}

TEST(Tape, ManyUsesAddUp) {
  const Tensor x = Tensor::full({1000}, 1);
  require_grad(x);
  Tape tape;
  const Tensor y = x * 2.0;
  Tensor loss = y;
  for (int i = 0; i < 20; ++i) loss = loss + y;
  tape.backward(loss, Tensor::full({1000}, 1));
  EXPECT_FLOAT_EQ(grad_of(x).data<float>()[999], 42);
}

TEST(Tape, IntegerResultsAreNotRecorded) {
  const Tensor x = test::uniform({3, 4}, -1, 1, 1);
  require_grad(x);
  Tape tape;
  const Tensor at = argmax(x, 1);
  EXPECT_FALSE(requires_grad(at));
  EXPECT_TRUE(requires_grad(max(x, 1)));
  EXPECT_THROW(tape.backward(at, at), Error);
}

TEST(Tape, StepsStopTheGradient) {
  const Tensor x = Tensor::full({2}, 1.5);
  require_grad(x);
  Tape tape;
  tape.backward(sum(floor(x) * x));
  EXPECT_FLOAT_EQ(grad_of(x).data<float>()[0], 1);
}

TEST(Tape, LossWithoutLeafThrows) {
  Tape tape;
  EXPECT_THROW(tape.backward(sum(Tensor::full({2}, 1))), Error);
}

}  // namespace
}  // namespace limber
