// Optimisers, clipping and averaged weights on a GPU against the CPU, and that a step is one launch
// however many parameters there are.
#include "nn/optim/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/autograd.h"
#include "kernels/cuda/runtime/gpu.h"
#include "kernels/cuda/runtime/watch.h"
#include "nn/init.h"
#include "nn/optim/ema.h"
#include "pose/core/keypoint_metrics.h"
#include "pose/engine/build_optim.h"
#include "tests/cuda/on_gpu.h"
#include "tests/support/tensors.h"

namespace limber::test {
namespace {

// Tensors of one number, of some, and of more than a block of the kernel takes.
const Shape kShapes[] = {{}, {7}, {3, 5}, {20000}, {2, 4096}};

// A store with such parameters and gradients for them that do not depend on the device.
struct Parameters {
  ParameterStore store{5};
  explicit Parameters(Device device) {
    int64_t i = 0;
    for (const Shape& shape : kShapes)
      Scope(store).parameter(str("p", i++), shape, init::normal(0, 1));
    store.to(device);
    for (const Parameter& p : store.all()) require_grad(p.value);
  }
  void set_grads(int step) {
    uint64_t seed = uint64_t(100 * step);
    for (const Parameter& p : store.all())
      set_grad(p.value, uniform(p.value.shape(), -1, 1, ++seed).to(p.value.device()));
  }
  std::vector<double> numbers() const {
    std::vector<double> all;
    for (const Parameter& p : store.all())
      for (const double v : to_doubles(p.value)) all.push_back(v);
    return all;
  }
};

void expect_near(const std::vector<double>& a, const std::vector<double>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 2e-6 * (1 + std::abs(b[i]))) << i;
}

class CudaOptimizers : public OnGpuWithParam<const char*> {};

TEST_P(CudaOptimizers, StepsEqualTheCpusInOneLaunch) {
  std::vector<double> found[2];
  for (const bool on_gpu : {false, true}) {
    Parameters p(on_gpu ? kGpu : Device{});
    BuiltOptim built = build_optim_wrapper(
        Config::parse(str(R"({"optimizer": )", GetParam(), "}"), "optim_wrapper"), p.store);
    Optimizer& optimizer = built.wrapper.optimizer();
    for (int i = 0; i < 4; ++i) {
      p.set_grads(i);
      size_t launches = 0;
      {
        kernels::gpu::QueueWatch watch;
        optimizer.step(0.7, 0.5);
        for (const auto& step : watch.steps())
          launches += std::string(step.name) != "copy" && std::string(step.name) != "fill" &&
                      std::string(step.name) != "zero";
      }
      EXPECT_EQ(launches, on_gpu ? 1u : 0u);
    }
    found[on_gpu] = p.numbers();
  }
  expect_near(found[1], found[0]);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, CudaOptimizers,
    testing::Values(
        R"({"type": "SGD", "lr": 0.1})",
        R"({"type": "SGD", "lr": 0.1, "momentum": 0.9, "nesterov": true, "weight_decay": 0.01})",
        R"({"type": "Adam", "lr": 0.01, "weight_decay": 0.01})",
        R"({"type": "Adam", "lr": 0.01, "amsgrad": true})",
        R"({"type": "AdamW", "lr": 0.01, "weight_decay": 0.1})",
        R"({"type": "RMSprop", "lr": 0.01})", R"({"type": "Adagrad", "lr": 0.1})",
        R"({"type": "Adamax", "lr": 0.01})"));

class CudaSteps : public OnGpu<> {};

TEST_F(CudaSteps, NormsOfGradientsEqualTheCpus) {
  Parameters cpu{Device{}}, gpu{kGpu};
  cpu.set_grads(1);
  gpu.set_grads(1);
  const auto norm = [](const Parameters& p, double order) {
    std::vector<Tensor> grads;
    for (const Parameter& one : p.store.all()) grads.push_back(grad_of(one.value));
    return gradient_norm(grads, order);
  };
  for (const double order : {1.0, 2.0, 3.0, std::numeric_limits<double>::infinity()})
    EXPECT_NEAR(norm(gpu, order), norm(cpu, order), 1e-5 * norm(cpu, order)) << order;
}

TEST_F(CudaSteps, AveragesEqualTheCpusInOneLaunch) {
  std::vector<double> found[2];
  for (const bool on_gpu : {false, true}) {
    Parameters p(on_gpu ? kGpu : Device{});
    AveragedModel average(p.store, {.momentum = 0.3});
    for (int i = 0; i < 3; ++i) {
      for (const Parameter& one : p.store.all())
        Tensor(one.value).copy_from(
            uniform(one.value.shape(), -1, 1, uint64_t(i)).to(one.value.device()));
      kernels::gpu::QueueWatch watch;
      average.update();
      size_t launches = 0;
      for (const auto& step : watch.steps()) launches += std::string(step.name) == "lerp_step";
      EXPECT_EQ(launches, on_gpu ? 1u : 0u);
    }
    for (const NamedTensor& entry : average.averages())
      for (const double v : to_doubles(entry.value)) found[on_gpu].push_back(v);
  }
  expect_near(found[1], found[0]);
}

}  // namespace
}  // namespace limber::test
