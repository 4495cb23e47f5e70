// Tensors on a device: making, copying, moving, and what is refused.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>

#include "autograd/autograd.h"
#include "kernels/cuda/runtime/gpu.h"
#include "kernels/cuda/runtime/memory_report.h"
#include "tensor/op.h"
#include "tensor/ops.h"
#include "tests/cuda/on_gpu.h"
#include "tests/support/program.h"
#include "tests/support/tensors.h"

namespace limber::test {
namespace {

std::string error_of(const std::function<void()>& run) {
  try {
    run();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "no error";
}

TEST(Devices, NamesAreRead) {
  EXPECT_EQ(parse_device("cpu"), Device{});
  for (const char* name : {"", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:0x", "cuda:12345"})
    EXPECT_THROW(parse_device(name), InputError) << name;
  if (kernels::gpu::device_count() > 0) {
    EXPECT_EQ(parse_device("cuda"), kGpu);
    EXPECT_EQ(str(parse_device("cuda:0")), "cuda:0");
    EXPECT_THROW(parse_device("cuda:99"), InputError);
  } else {
    const std::string error = error_of([] { parse_device("cuda:0"); });
    EXPECT_NE(error.find(kernels::gpu::why_none()), std::string::npos) << error;
  }
}

class OnDevice : public OnGpu<> {};

TEST_F(OnDevice, NumbersSurviveTheWayThereAndBack) {
  for (const DType dtype : {DType::f32, DType::f64, DType::i64, DType::u8}) {
    const Tensor x = uniform({5, 7}, 0, 100, 3).to(dtype);
    const Tensor there = x.to(kGpu);
    EXPECT_EQ(there.device(), kGpu);
    EXPECT_EQ(there.to(Device{}).to(DType::f64).span<double>()[17],
              x.to(DType::f64).span<double>()[17]);
  }
  EXPECT_EQ(uniform({}, 2, 3, 1).to(kGpu).item(), uniform({}, 2, 3, 1).item());
}

TEST_F(OnDevice, WhatIsMadeLiesOnTheCurrentDevice) {
  const DeviceScope scope(kGpu);
  for (const Tensor& t : {Tensor::zeros({3}), Tensor::full({3}, 1.5), Tensor::empty({3}),
                          Tensor::from(std::vector<float>{1, 2, 3}, {3})})
    EXPECT_EQ(t.device(), kGpu);
  EXPECT_EQ(sum(Tensor::full({3}, 1.5)).item(), 4.5);
  EXPECT_EQ(sum(Tensor::from(std::vector<float>{1, 2, 3}, {3})).item(), 6);
}

TEST_F(OnDevice, ConversionsEqualTheCpus) {
  const Tensor x = uniform({300}, -4, 4, 8);
  for (const DType dtype : {DType::f16, DType::bf16, DType::i32, DType::boolean, DType::f64}) {
    const Tensor cpu = x.to(dtype).to(DType::f64);
    const Tensor gpu = x.to(kGpu).to(dtype).to(DType::f64).to(Device{});
    for (int64_t i = 0; i < x.numel(); ++i)
      ASSERT_EQ(gpu.data<double>()[i], cpu.data<double>()[i]) << dtype << " of " << i;
  }
}

TEST_F(OnDevice, HostAccessIsRefused) {
  const Tensor x = uniform({4}, 0, 1, 2).to(kGpu);
  const std::string error = error_of([&] { x.data<float>(); });
  EXPECT_NE(error.find("cuda:0"), std::string::npos) << error;
}

TEST_F(OnDevice, InputsOfOneOpLieOnOneDevice) {
  const Tensor a = uniform({4}, 0, 1, 2), b = a.to(kGpu);
  const std::string error = error_of([&] { a + b; });
  EXPECT_NE(error.find("Binary: inputs on cpu (4) and on cuda:0 (4)"), std::string::npos) << error;
}

TEST_F(OnDevice, WhatHasNoKernelSaysSoWithOpAndShapes) {
  const Tensor x = uniform({4, 6}, 0, 1, 2, DType::f64).to(kGpu);
  const std::string error = error_of([&] { softmax(x); });
  EXPECT_NE(error.find("Softmax of f64 (4, 6): softmax_forward: no GPU kernel for f64"),
            std::string::npos)
      << error;
}

TEST_F(OnDevice, AnErrorOfAGradientNamesTheOpAndTheShapes) {
  const DeviceScope scope(kGpu);
  const Tensor x = Tensor::zeros({4, 6}, DType::f64);
  require_grad(x);
  Tape tape;
  const Tensor y = index_select(x, 0, Tensor::from(std::vector<int64_t>{1, 3}, {2}));
  const std::string error = error_of([&] { tape.backward(y, y); });
  EXPECT_NE(error.find("the gradient of Gather from f64 (2, 6): "), std::string::npos) << error;
}

TEST_F(OnDevice, AnIndexOutOfRangeIsAnError) {
  const DeviceScope scope(kGpu);
  const Tensor x = Tensor::zeros({4, 6});
  const auto take = [&](int64_t i) {
    return index_select(x, 0, Tensor::from(std::vector<int64_t>{i}, {1}));
  };
  take(3);
  if (kernels::gpu::is_emulated()) {  // on a GPU a trap ends the process's use of the device
    EXPECT_THROW(take(4), Error);
    EXPECT_THROW(take(-1), Error);
  }
}

TEST_F(OnDevice, MovingATensorMovesAllItsHandles) {
  const Tensor x = uniform({8}, 0, 1, 4), same = x;
  const double before = x.data<float>()[5];
  x.move_to(kGpu);
  EXPECT_EQ(same.device(), kGpu);
  same.move_to({});
  EXPECT_EQ(x.data<float>()[5], float(before));
}

TEST_F(OnDevice, MemoryIsCounted) {
  using kernels::gpu::memory;
  trim_memory_cache(kGpu);
  reset_peak_memory(kGpu);
  const kernels::gpu::Memory before = memory(0);
  const size_t requests = kernels::gpu::driver_requests(0);
  {
    const Tensor x = uniform({1000}, 0, 1, 4).to(kGpu);
    EXPECT_EQ(memory(0).live, before.live + 4000);
    EXPECT_EQ(kernels::gpu::driver_requests(0), requests + 1);
    EXPECT_EQ(x.to(Device{}).numel(), 1000);  // no memory of the device
  }
  const kernels::gpu::Memory after = memory(0);
  EXPECT_EQ(after.live, before.live);
  EXPECT_EQ(after.peak, before.live + 4000);
  EXPECT_EQ(kernels::gpu::driver_requests(0), requests + 1);
  EXPECT_EQ(memory_stats(kGpu).live, after.live);
  EXPECT_EQ(memory_stats(kGpu).peak, after.peak);
  if (kernels::gpu::is_emulated()) {
    EXPECT_EQ(after.cached, 0u);  // it keeps nothing
  }
}

TEST_F(OnDevice, InfoPrintsWhatMemoryDoes) {
  const ProgramResult info = run_program({"info"});
  ASSERT_EQ(info.exit_code, 0) << info.err;
  EXPECT_NE(info.out.find("\nmemory of cuda:0: 0.0 MB in use, 0.0 MB at most, "), std::string::npos)
      << info.out;
  EXPECT_NE(info.out.find("0.0 MB in captured graphs; 0 blocks asked of the driver\n"),
            std::string::npos)
      << info.out;
  const Tensor x = uniform({1'000'000}, 0, 1, 4).to(kGpu);
  EXPECT_NE(kernels::gpu::memory_report(0).find(
                fmt::format(": {:.1f} MB in use, ", double(memory_stats(kGpu).live) / 1e6)),
            std::string::npos)
      << kernels::gpu::memory_report(0);
}

}  // namespace
}  // namespace limber::test
