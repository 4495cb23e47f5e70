// A training step of a small network of every family on a GPU against the CPU: loss, every
// gradient, and the loss after an optimiser's step.
#include <gtest/gtest.h>

#include <cmath>

#include "autograd/autograd.h"
#include "nn/optim/optimizer.h"
#include "tests/cuda/families.h"
#include "tests/cuda/on_gpu.h"

namespace limber::test {
namespace {

struct StepResult {
  double loss = 0, next_loss = 0;
  std::vector<std::pair<std::string, Tensor>> grads;  // on the CPU
};

StepResult train_one_step(const TrainingFamily& family, Device device) {
  TrainingNetwork network(family, device);
  const DeviceScope scope(device);
  ParamGroup group;
  group[Hyper::lr] = 1e-3;
  for (const Parameter& p : network.store.all())
    if (p.role == Role::parameter && p.trainable && p.tied_to.empty())
      group.parameters.push_back(&network.store.at(p.name));
  OptimizerOptions options = OptimizerOptions::defaults(OptimizerKind::sgd);
  options.lr = 1e-3;
  Optimizer optimizer(options, {group});
  StepResult result;
  {
    Tape tape;
    const Tensor loss = network.loss();
    result.loss = loss.item();
    tape.backward(loss);
  }
  for (const Parameter* p : group.parameters)
    if (const Tensor grad = grad_of(p->value); grad.defined())
      result.grads.emplace_back(p->name, grad.to(Device{}));
  optimizer.step();
  result.next_loss = network.loss().item();
  return result;
}

double root_mean_square(const Tensor& a, const Tensor* b) {
  double sum = 0;
  for (int64_t i = 0; i < a.numel(); ++i) {
    const double d = double(a.data<float>()[i]) - (b != nullptr ? double(b->data<float>()[i]) : 0);
    sum += d * d;
  }
  return std::sqrt(sum / double(a.numel()));
}

class CudaTraining : public OnGpuWithParam<size_t> {};

TEST_P(CudaTraining, AStepEqualsTheCpus) {
  const TrainingFamily& family = training_families()[GetParam()];
  const StepResult cpu = train_one_step(family, {}), gpu = train_one_step(family, kGpu);
  EXPECT_NEAR(gpu.loss, cpu.loss, 1e-5 * std::abs(cpu.loss));
  ASSERT_EQ(gpu.grads.size(), cpu.grads.size());
  double largest = 0;
  for (const auto& [name, grad] : cpu.grads)
    largest = std::max(largest, root_mean_square(grad, nullptr));
  ASSERT_GT(largest, 0);
  for (size_t i = 0; i < cpu.grads.size(); ++i) {
    const auto& [name, grad] = cpu.grads[i];
    // A gradient that is zero but for rounding is judged against the others.
    EXPECT_LE(root_mean_square(gpu.grads[i].second, &grad),
              2e-4 * root_mean_square(grad, nullptr) + 1e-6 * largest)
        << name;
  }
  EXPECT_NE(cpu.next_loss, cpu.loss);
  EXPECT_NEAR(gpu.next_loss, cpu.next_loss, 1e-4 * std::abs(cpu.next_loss));
}

INSTANTIATE_TEST_SUITE_P(Families, CudaTraining,
                         testing::Range<size_t>(0, training_families().size()),
                         [](const auto& row) { return training_families()[row.param].name; });

}  // namespace
}  // namespace limber::test
