// CUDA graphs: what is recorded, what a launch reads anew, and what may not happen meanwhile.
#include "kernels/cuda/runtime/graph.h"

#include <gtest/gtest.h>

#include <optional>

#include "kernels/cuda/runtime/gpu.h"
#include "kernels/cuda/runtime/memory_report.h"
#include "tensor/capture.h"
#include "tensor/op.h"
#include "tensor/ops.h"
#include "tests/cuda/on_gpu.h"
#include "tests/support/tensors.h"

namespace limber::test {
namespace {

class CudaGraphs : public OnGpu<> {
 protected:
  void SetUp() override {
    OnGpu<>::SetUp();
    if (!IsSkipped()) scope_.emplace(kGpu);
  }
  std::string error_in_capture(const std::function<void()>& work) {
    try {
      const CapturedWork captured(kGpu, work);
    } catch (const std::exception& error) {
      return error.what();
    }
    return "no error";
  }

 private:
  std::optional<DeviceScope> scope_;
};

TEST_F(CudaGraphs, NothingRunsWhileItIsRecorded) {
  Tensor counter = Tensor::zeros({1});
  CapturedWork work(kGpu, [&] { counter.copy_from(counter + 1); });
  EXPECT_EQ(first_of(counter), 0);
  for (int i = 1; i <= 3; ++i) {
    work.replay();
    work.wait();
    EXPECT_EQ(first_of(counter), i);
  }
}

TEST_F(CudaGraphs, ALaunchReadsPinnedMemoryAnewAndKeepsTheRest) {
  const Tensor pinned = pinned_tensor({1});
  std::vector<float> pageable{5};
  const DeviceScope on_host({});
  Tensor a = Tensor::zeros({1}).to(kGpu), b = Tensor::zeros({1}).to(kGpu);
  *pinned.data<float>() = 1;
  kernels::gpu::CapturedGraph graph(0);
  kernels::gpu::copy(0, a.raw(), pinned.raw(), 4, kernels::gpu::Copy::to_device);
  kernels::gpu::copy(0, b.raw(), pageable.data(), 4, kernels::gpu::Copy::to_device);
  graph.finish();
  *pinned.data<float>() = 2;
  pageable[0] = 6;
  graph.launch();
  EXPECT_EQ(first_of(a), 2);
  EXPECT_EQ(first_of(b), 5);
}

TEST_F(CudaGraphs, HostWorkIsDoneBeforeAndAfterEachReplay) {
  float given = 0;
  int before = 0;
  std::vector<double> after;
  const auto step = [&] {
    before_device_work([&] { ++before; });
    const Tensor x = fed({3}, DType::f32, [&](const Tensor& host) {
                       for (float& v : host.span<float>()) v = given;
                     }).to(kGpu);
    const Tensor total = host_number(
        {sum(x * 2)}, [](std::span<const Tensor> in) { return 10 * double(*in[0].data<float>()); });
    after_device_work([&after, total] { after.push_back(total.item()); });
  };
  given = 1;
  step();
  EXPECT_EQ(after, std::vector<double>{60});
  CapturedWork work(kGpu, step);
  EXPECT_EQ(before, 1);
  for (const float value : {2.f, 7.f}) {
    given = value;
    work.replay();
    work.wait();
  }
  EXPECT_EQ(before, 3);
  EXPECT_EQ(after, (std::vector<double>{60, 120, 420}));
}

TEST_F(CudaGraphs, WaitingForTheDeviceIsRefused) {
  const Tensor x = Tensor::full({4}, 1.5);
  EXPECT_NE(error_in_capture([&] { sum(x).item(); }).find("the host reads 4 bytes"),
            std::string::npos);
  EXPECT_NE(error_in_capture([&] {
              kernels::gpu::synchronise(0);
            }).find("not permitted when stream is capturing"),
            std::string::npos);
  // A spoilt capture is given up even where the error was swallowed.
  EXPECT_NE(error_in_capture([&] {
              try {
                kernels::gpu::synchronise(0);
              } catch (const kernels::gpu::CudaError&) {
              }
            }).find("previous error during capture"),
            std::string::npos);
  EXPECT_EQ(sum(x).item(), 6);  // and nothing is the worse for it
}

TEST_F(CudaGraphs, MemoryOfACaptureIsItsOwn) {
  const kernels::gpu::Memory before = kernels::gpu::memory(0);
  const Tensor x = Tensor::full({1000}, 2);
  Tensor y, z;
  {
    CapturedWork work(kGpu, [&] {
      y = x * 3;
      z = relu(y) + y;
    });
    EXPECT_GE(work.bytes(), 2 * 4000u);
    EXPECT_LE(work.bytes(), 3 * 4000u + 256);
    EXPECT_EQ(kernels::gpu::memory(0).in_graphs, before.in_graphs + work.bytes());
    const size_t requests = kernels::gpu::driver_requests(0);
    work.replay();
    EXPECT_EQ(kernels::gpu::driver_requests(0), requests);
    const Tensor other = x * 5;  // does not lie where the graph writes
    work.replay();
    work.wait();
    EXPECT_EQ(first_of(other), 10);
  }
  EXPECT_EQ(first_of(z), 12);  // a tensor outlives the graph that made it
  EXPECT_EQ(kernels::gpu::memory(0).in_graphs, before.in_graphs);
  y = z = Tensor();
  EXPECT_EQ(kernels::gpu::memory(0).live, before.live + 4000);
}

TEST_F(CudaGraphs, WhatIsReleasedInACaptureStaysForItsLaunches) {
  std::optional<Tensor> x = Tensor::full({10}, 2);
  Tensor y;
  CapturedWork work(kGpu, [&] {
    y = *x * 3;
    x.reset();
  });
  for (int i = 0; i < 4; ++i) const Tensor other = Tensor::full({10}, 9);
  work.replay();
  work.wait();
  EXPECT_EQ(first_of(y), 6);
}

}  // namespace
}  // namespace limber::test
