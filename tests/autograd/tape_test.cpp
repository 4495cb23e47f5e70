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

TEST(Tape, LossWithoutLeafThrows) {
  Tape tape;
  EXPECT_THROW(tape.backward(sum(Tensor::full({2}, 1))), Error);
}

}  // namespace
}  // namespace limber
