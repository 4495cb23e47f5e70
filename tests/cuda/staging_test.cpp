// The copy of a batch beside the work on another one: nothing is overwritten while it is read.
#include <gtest/gtest.h>

#include "kernels/cuda/runtime/gpu.h"
#include "pose/engine/input_staging.h"
#include "tensor/capture.h"
#include "tensor/op.h"
#include "tensor/ops.h"
#include "tests/cuda/on_gpu.h"
#include "tests/cuda/order.h"

namespace limber::test {
namespace {

class Staging : public OnGpu<> {};

// Batch i + 1 is staged when the work on batch i is queued and, of a GPU that takes its time, has
// not begun.
TEST_F(Staging, BatchesArriveInOrder) {
  const LateWork late;
  InputStaging staging(kGpu);
  const auto batch = [](int i) {
    return Tensor::full(i == 3 ? Shape{2, 700} : Shape{5, 700}, 1 + i);
  };
  Tensor total = Tensor::zeros({1}).to(kGpu);
  double expected = 0;
  staging.stage(batch(0));
  for (int i = 0; i < 6; ++i) {
    const DeviceScope scope(kGpu);
    const Tensor inputs = Tensor::empty(i == 3 ? Shape{2, 700} : Shape{5, 700});
    staging.deliver(inputs);
    total.copy_from(total * 2 + mean(inputs));
    expected = expected * 2 + 1 + i;
    const DeviceScope on_host({});
    staging.stage(batch(i + 1));
  }
  EXPECT_EQ(first_of(total), expected);
}

#if defined(LIMBER_CUDA_EMULATE)
TEST_F(Staging, AMissingOrderShowsInTheEmulator) {
  const LateWork late;
  kernels::gpu::CopyStream stream(0);
  const Tensor pinned = pinned_tensor({1}), target = Tensor::zeros({1}).to(kGpu);
  *pinned.data<float>() = 1;
  stream.follow();
  stream.copy(target.raw(), pinned.raw(), 4);
  EXPECT_EQ(first_of(target), 0);  // nobody said that the reader comes after the copy
  stream.publish();
  EXPECT_EQ(first_of(target), 1);
  stream.copy(target.raw(), pinned.raw(), 4);
  *pinned.data<float>() = 2;  // and the copy had not been waited for
  stream.publish();
  EXPECT_EQ(first_of(target), 2);
}
#endif

}  // namespace
}  // namespace limber::test
