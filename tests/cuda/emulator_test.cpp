// The emulator itself: barriers, exchanges inside of a warp, and the errors that it is there to
// find. Nothing to test where kernels run on a real GPU.
#if defined(LIMBER_CUDA_EMULATE)
#include <gtest/gtest.h>

#include <vector>

#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/reduce.cuh"
#include "tests/cuda/order.h"

namespace limber::test {
namespace {

using namespace kernels::cuda;

kernels::Exec exec() {
  kernels::Exec ex;
  ex.device = {DeviceType::cuda, 0};
  ex.kernel = "test_kernel";
  return ex;
}

std::string error_of(void (*run)()) {
  try {
    run();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "no error";
}

// Each thread writes its number; after the barrier it reads its mirror image's.
void mirror_kernel(int* out, bool with_barrier) {
  __shared__ int numbers[96];
  numbers[threadIdx.x] = -1;
  __syncthreads();
  numbers[threadIdx.x] = int(threadIdx.x);
  if (with_barrier) __syncthreads();
  out[blockIdx.x * 96 + threadIdx.x] = numbers[95 - threadIdx.x];
}

// n elements on the device, for the duration of a test.
template <class T>
class OnDevice {
 public:
  explicit OnDevice(int64_t n) : scratch_(exec_, n), n_(size_t(n)) {}
  T* data() const { return scratch_.data(); }
  std::vector<T> values() const { return {data(), data() + n_}; }

 private:
  const kernels::Exec exec_ = exec();
  Scratch<T> scratch_;
  size_t n_;
};

std::vector<int> mirrored(bool with_barrier) {
  const OnDevice<int> out(2 * 96);
  launch(exec(), {2, 96}, mirror_kernel, out.data(), with_barrier);
  return out.values();
}

TEST(Emulator, BarriersOrderTheThreadsOfABlock) {
  const std::vector<int> out = mirrored(true);
  for (int i = 0; i < 2 * 96; ++i) EXPECT_EQ(out[size_t(i)], 95 - i % 96);
  const ReverseOrder reverse;
  EXPECT_EQ(mirrored(true), out);
}

TEST(Emulator, AMissingBarrierShowsInTheOtherOrder) {
  const std::vector<int> ascending = mirrored(false);
  const ReverseOrder reverse;
  EXPECT_NE(mirrored(false), ascending);
}

void sums_kernel(float* out) {
  const float sum = block_sum(float(threadIdx.x));
  const float top = over_block(float(threadIdx.x), 0.0f, Larger());
  const unsigned odd = __ballot_sync(kAllLanes, threadIdx.x % 2);
  if (threadIdx.x == 70) {
    out[0] = sum;
    out[1] = top;
    out[2] = odd == 0xaaaaaaaau ? 1.0f : 0.0f;
  }
}

TEST(Emulator, WarpsExchangeValues) {
  const OnDevice<float> device(3);
  launch(exec(), {1, 160}, sums_kernel, device.data());
  const std::vector<float> out = device.values();
  EXPECT_EQ(out[0], 159 * 160 / 2);
  EXPECT_EQ(out[1], 159);
  EXPECT_EQ(out[2], 1);
}

// Threads that have returned are not waited for.
void early_kernel(int* out) {
  if (threadIdx.x >= 40) return;
  __syncthreads();
  out[threadIdx.x] = 1;
}

TEST(Emulator, AThreadMayReturnBeforeABarrier) {
  const OnDevice<int> out(64);
  kernels::gpu::zero(0, out.data(), 64 * sizeof(int));
  launch(exec(), {1, 64}, early_kernel, out.data());
  for (int i = 0; i < 64; ++i) EXPECT_EQ(out.values()[size_t(i)], i < 40 ? 1 : 0);
}

TEST(Emulator, TheHostsMemoryIsNoArgument) {
  const std::string error = error_of([] {
    std::vector<int> out(64);
    launch(exec(), {1, 64}, early_kernel, out.data());
  });
  EXPECT_NE(error.find("test_kernel: a kernel was handed the host's memory"), std::string::npos)
      << error;
  const OnDevice<int> block(4);
  std::vector<int> host(4);
  const auto copy = [](void* to, const void* from, kernels::gpu::Copy direction) {
    kernels::gpu::copy(0, to, from, 16, direction);
  };
  copy(block.data(), host.data(), kernels::gpu::Copy::to_device);
  EXPECT_THROW(copy(block.data(), host.data(), kernels::gpu::Copy::inside),
               kernels::gpu::CudaError);
  EXPECT_THROW(copy(host.data(), host.data(), kernels::gpu::Copy::to_device),
               kernels::gpu::CudaError);
}

void torn_kernel() {
  if (threadIdx.x % 2 == 0) {
    __syncthreads();
  } else {
    __syncwarp();
  }
}

TEST(Emulator, ABarrierThatCannotBeCompleteIsAnError) {
  const std::string error = error_of([] { launch(exec(), {1, 64}, torn_kernel); });
  EXPECT_NE(error.find("test_kernel: 32 of the 64 threads"), std::string::npos) << error;
  EXPECT_EQ(mirrored(true)[0], 95);  // and the next launch is none the worse
}

void trap_kernel(int n) {
  if (int(blockIdx.x) == n) __trap();
}

TEST(Emulator, ATrapEndsTheLaunch) {
  const std::string error = error_of([] { launch(exec(), {3, 32}, trap_kernel, 2); });
  EXPECT_NE(error.find("test_kernel: the kernel trapped"), std::string::npos) << error;
  launch(exec(), {3, 32}, trap_kernel, 3);
}

#if !defined(__SANITIZE_ADDRESS__)  // which would end the program at the write itself
TEST(Emulator, AWriteBehindABlockIsFoundAtTheNextWait) {
  auto* block = static_cast<unsigned char*>(kernels::gpu::allocate(0, 100));
  kernels::gpu::synchronise(0);
  const unsigned char before = block[100];
  block[100] = 7;
  EXPECT_THROW(kernels::gpu::synchronise(0), kernels::gpu::CudaError);
  block[100] = before;
  kernels::gpu::synchronise(0);
  kernels::gpu::release(0, block, 100);
}
#endif

TEST(Emulator, FreshMemoryIsNotZero) {
  auto* block = static_cast<unsigned char*>(kernels::gpu::allocate(0, 64));
  EXPECT_NE(block[0] | block[63], 0);
  kernels::gpu::release(0, block, 64);
}

}  // namespace
}  // namespace limber::test
#endif
