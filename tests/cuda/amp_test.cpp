// Mixed precision: which op runs in which type, training in f16 and bf16, and what a gradient that
// overflows does.
#include <gtest/gtest.h>

#include <cmath>

#include "autograd/autograd.h"
#include "nn/layers.h"
#include "pose/core/keypoint_metrics.h"
#include "pose/engine/build_optim.h"
#include "tensor/autocast.h"
#include "tensor/ops.h"
#include "tests/cuda/families.h"
#include "tests/cuda/on_gpu.h"
#include "tests/support/tensors.h"

namespace limber::test {
namespace {

class MixedPrecision : public OnGpuWithParam<DType> {};

INSTANTIATE_TEST_SUITE_P(Types, MixedPrecision, testing::Values(DType::f16, DType::bf16),
                         [](const auto& row) { return std::string(name_of(row.param)); });

TEST_P(MixedPrecision, OpsRunInTheTypesOfTheirClasses) {
  const DType low = GetParam();
  const DeviceScope scope(kGpu);
  const Tensor x = uniform({2, 6, 5, 8}, -1, 1, 1).to(kGpu), w = uniform({4, 8}, -1, 1, 2).to(kGpu);
  const Tensor filter = uniform({4, 3, 3, 8}, -1, 1, 3).to(kGpu);
  const Tensor gamma = Tensor::full({4}, 1), mean = Tensor::zeros({4}), var = gamma.clone();
  require_grad(w);
  Tape tape;
  Tensor y;
  {
    const Autocast autocast(low);
    y = linear(x, w, {});
    EXPECT_EQ(y.dtype(), low);
    EXPECT_EQ(conv2d(x, filter, {}, {}).dtype(), low);
    EXPECT_EQ(relu(y).dtype(), low);
    EXPECT_EQ(exp(y).dtype(), DType::f32);
    EXPECT_EQ(softmax(y).dtype(), DType::f32);
    EXPECT_EQ(sum(y).dtype(), DType::f32);
    EXPECT_EQ((y + y).dtype(), low);
    EXPECT_EQ((y + Tensor::zeros({4})).dtype(), DType::f32);
    EXPECT_EQ(layer_norm(y, gamma, mean).dtype(), DType::f32);
    const Tensor on_cpu = uniform({3, 8}, -1, 1, 4);
    EXPECT_EQ(matmul(on_cpu, on_cpu, false, true).dtype(), DType::f32);
    tape.backward(sum(square(y)));
  }
  EXPECT_EQ(grad_of(w).dtype(), DType::f32);
  EXPECT_EQ(linear(x, w, {}).dtype(), DType::f32);
}

// A small network and the optimiser of a config.
struct SmallRun {
  ParameterStore store{5};
  Linear first, second;
  BatchNorm norm;
  BuiltOptim optim;
  Tensor x, target;

  explicit SmallRun(const char* wrapper)
      : first(Scope(store) / "first", 8, 16),
        second(Scope(store) / "second", 16, 4),
        norm(Scope(store) / "norm", 16),
        optim(made(wrapper)) {
    store.train(true);
    x = uniform({12, 8}, -1, 1, 1).to(kGpu);
    target = uniform({12, 4}, -1, 1, 2).to(kGpu);
  }
  BuiltOptim made(const char* wrapper) {
    store.to(kGpu);
    return build_optim_wrapper(Config::parse(wrapper, "optim_wrapper"), store);
  }
  // The loss before, and whether the parameters changed.
  std::pair<double, bool> step(double factor = 1) {
    const DeviceScope scope(kGpu);
    Tape tape;
    Tensor loss;
    {
      const Autocast autocast(optim.wrapper.precision());
      loss = mean(square(second(relu(norm(first(x)))) - target));
    }
    EXPECT_EQ(loss.dtype(), DType::f32);
    return {loss.item(), optim.wrapper.update(tape, loss * factor)};
  }
};

TEST_P(MixedPrecision, LearnsInThirtySteps) {
  const bool half = GetParam() == DType::f16;
  SmallRun run(half ? R"({"type": "AmpOptimWrapper", "optimizer": {"type": "Adam", "lr": 0.02}})"
                    : R"({"type": "AmpOptimWrapper", "dtype": "bfloat16",
                     "optimizer": {"type": "Adam", "lr": 0.02}})");
  EXPECT_EQ(run.optim.wrapper.precision(), GetParam());
  EXPECT_EQ(run.optim.wrapper.scaler() != nullptr, half);
  double first = 0, last = 0;
  for (int i = 0; i < 30; ++i) {
    const auto [loss, changed] = run.step();
    EXPECT_TRUE(changed) << i;
    (i == 0 ? first : last) = loss;
  }
  EXPECT_LT(last, 0.3 * first);
}

class CudaLossScale : public OnGpu<> {};

TEST_F(CudaLossScale, AnOverflowSkipsTheStepAndHalvesTheScale) {
  SmallRun run(R"({"type": "AmpOptimWrapper", "loss_scale": {"growth_interval": 2},
              "optimizer": {"type": "SGD", "lr": 0.01}})");
  const auto weights = [&] { return to_doubles(run.store.at("first.weight").value); };
  const std::vector<double> before = weights();
  EXPECT_FALSE(run.step(1e6).second);  // 65536e6 times a gradient is beyond f16
  EXPECT_EQ(run.optim.wrapper.scaler()->scale(), 32768);
  EXPECT_EQ(weights(), before);
  EXPECT_TRUE(run.step().second);
  EXPECT_NE(weights(), before);
  EXPECT_TRUE(run.step().second);
  EXPECT_EQ(run.optim.wrapper.scaler()->scale(), 65536);
}

class CudaAutocast : public OnGpu<> {};

TEST_F(CudaAutocast, ConcatTakesTheWidestType) {
  const Tensor wide = Tensor::full({2, 1}, 1.001).to(kGpu);
  const Tensor low = Tensor::full({2, 1}, 2).to(DType::bf16).to(kGpu);
  EXPECT_THROW(concat({wide, low}, 1), Error);
  const Autocast autocast(DType::bf16);
  const Tensor both = concat({low, wide}, 1);
  EXPECT_EQ(both.dtype(), DType::f32);
  EXPECT_EQ(to_doubles(both), (std::vector<double>{2, float(1.001), 2, float(1.001)}));
  EXPECT_THROW(concat({wide.to(Device{}), low.to(Device{})}, 1), Error);  // nothing is cast there
}

class CudaAmp : public OnGpuWithParam<size_t> {};

// Loss and gradient of every family in bf16 are those of f32 but for 8 bits of mantissa.
TEST_P(CudaAmp, AStepInBrainFloatIsNearThatInSinglePrecision) {
  const TrainingFamily& family = training_families()[GetParam()];
  const auto step = [&](DType precision) {
    const TrainingNetwork network(family, kGpu);
    const DeviceScope scope(kGpu);
    for (const Parameter& p : network.store.all())
      if (p.role == Role::parameter && p.trainable) require_grad(p.value);
    Tape tape;
    Tensor loss;
    {
      const Autocast autocast(precision);
      loss = network.loss();
    }
    EXPECT_EQ(loss.dtype(), DType::f32);
    const double value = loss.item();
    tape.backward(loss);
    double squares = 0;
    for (const Parameter& p : network.store.all())
      if (const Tensor grad = grad_of(p.value); grad.defined()) {
        EXPECT_EQ(grad.dtype(), DType::f32) << p.name;
        for (const double g : to_doubles(grad)) squares += g * g;
      }
    return std::pair(value, std::sqrt(squares));
  };
  const auto [loss, norm] = step(DType::f32);
  const auto [low_loss, low_norm] = step(DType::bf16);
  EXPECT_NE(low_norm, norm);
  EXPECT_NEAR(low_loss, loss, 0.05 * std::abs(loss));
  EXPECT_NEAR(low_norm, norm, 0.2 * norm);
}

INSTANTIATE_TEST_SUITE_P(Families, CudaAmp, testing::Range<size_t>(0, training_families().size()),
                         [](const auto& row) { return training_families()[row.param].name; });

}  // namespace
}  // namespace limber::test
