// A captured training step gives what the step gives as it is written, to the bit; where it would
// not, it is not captured.
#include "pose/engine/step_capture.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "nn/optim/ema.h"
#include "pose/core/keypoint_metrics.h"
#include "pose/engine/build_optim.h"
#include "tensor/autocast.h"
#include "tensor/ops.h"
#include "tests/cuda/families.h"
#include "tests/cuda/on_gpu.h"
#include "tests/cuda/order.h"
#include "tests/support/tensors.h"
#include "tests/support/tiny_run.h"

namespace limber::test {
namespace {

const TrainingFamily& family_of(const std::string& name) {
  for (const TrainingFamily& family : training_families())
    if (family.name == name) return family;
  throw std::runtime_error("no family " + name);
}

constexpr char kAdamW[] = R"({"optimizer": {"type": "AdamW", "lr": 0.01},
                              "clip_grad": {"max_norm": 0.05}})";
constexpr char kSgd[] = R"({"optimizer": {"type": "SGD", "lr": 0.01, "momentum": 0.9}})";
// The scale starts too large, falls, and soon is too large again: some steps are skipped before the
// capture and some in it.
constexpr char kHalf[] = R"({"type": "AmpOptimWrapper",
    "loss_scale": {"init_scale": 1e9, "backoff_factor": 0.02, "growth_factor": 1000,
                   "growth_interval": 2},
    "optimizer": {"type": "Adam", "lr": 0.01}, "clip_grad": {"max_norm": 0.05}})";
constexpr char kAccumulated[] =
    R"({"accumulative_counts": 2, "optimizer": {"type": "AdamW", "lr": 0.01},
                                   "clip_grad": {"max_norm": 0.05}})";
constexpr char kAccumulatedHalf[] = R"({"type": "AmpOptimWrapper", "accumulative_counts": 3,
    "loss_scale": {"init_scale": 1024, "growth_interval": 1},
    "optimizer": {"type": "SGD", "lr": 0.01, "momentum": 0.9}})";

// A training run of a small network with averaged weights, on another batch in each iteration.
class SmallTraining {
 public:
  SmallTraining(const TrainingFamily& family, const char* wrapper, bool captures)
      : family_(family),
        store_(7),
        batch_(family.samples),
        estimator_(make_estimator(Config::parse(family.model, family.name), Scope(store_))),
        optim_(made(wrapper)),
        averages_(store_, {.update_buffers = false}),
        capture_(
            kGpu, captures ? "" : "the test compares with it", [this] { optim_.wrapper.abandon(); },
            [this](const std::string& line) { told.push_back(line); }) {
    store_.train(true);
    op_random() = Random(3);
    inputs_ = family.inputs[0].to(kGpu);
  }

  // On all samples or on the first few.
  void iterate(int i, size_t count = 100) {
    const DeviceScope on_host({});
    for (DataSample& sample : batch_)
      for (TensorLists* lists : {&sample.labels, &sample.fields})
        for (auto& [name, list] : *lists)
          if (name.find("weight") == std::string::npos)
            for (Tensor& t : list)
              if (t.dtype() == DType::f32) t = t * (0.9 + 0.01 * i);
    Tensor inputs = family_.inputs[0] * (1 + 0.1 * i);
    ConstBatch samples = batch_;
    if (count < samples.size()) {
      samples = samples.first(count);
      inputs = slice(inputs, 0, 0, int64_t(count)).to(kGpu);
    } else {
      inputs_.copy_from(inputs);
      inputs = inputs_;
    }
    optim_.wrapper.optimizer().groups()[0][Hyper::lr] = 0.01 / (1 + i);
    const bool accumulates = optim_.wrapper.accumulative_counts() > 1;
    const Losses found = capture_.run(shapes_of(inputs, samples), [&, this] {
      const Losses all = compute_gradients(inputs, samples);
      if (!accumulates) update();
      return all;
    });
    capture_.wait();
    if (accumulates) update();
    for (const auto& [name, value] : found) losses.push_back(value.item());
    if (const auto norm = optim_.wrapper.gradient_norm()) losses.push_back(*norm);
    if (const GradScaler* scaler = optim_.wrapper.scaler()) losses.push_back(scaler->scale());
  }

  std::vector<NamedTensor> state() const {
    std::vector<NamedTensor> all = optim_.wrapper.optimizer().state();
    for (const Parameter& p : store_.all()) all.push_back({p.name, p.value});
    for (const NamedTensor& average : averages_.averages())
      all.push_back({"average/" + average.name, average.value});
    for (NamedTensor& entry : all) entry.value = entry.value.to(Device{});
    return all;
  }
  bool is_captured() const { return capture_.is_captured(); }
  void begin_epoch() { capture_.begin_epoch(); }

  std::vector<double> losses;
  std::vector<std::string> told;

 private:
  BuiltOptim made(const char* wrapper) {
    store_.to(kGpu);
    return build_optim_wrapper(Config::parse(wrapper, "optim_wrapper"), store_);
  }
  Losses compute_gradients(const Tensor& inputs, ConstBatch samples) {
    const DeviceScope scope(kGpu);
    Tape tape;
    Losses found;
    Tensor total;
    {
      const Autocast autocast(optim_.wrapper.precision());
      found = estimator_->loss(inputs, samples);
      for (const auto& [name, value] : found)
        if (name.find("loss") != std::string::npos) total = total ? total + value : value;
    }
    optim_.wrapper.backward(tape, total);
    return found;
  }
  void update() {
    const DeviceScope scope(kGpu);
    optim_.wrapper.finish_iteration();
    averages_.update();
  }

  const TrainingFamily& family_;
  ParameterStore store_;
  std::vector<DataSample> batch_;
  std::unique_ptr<Estimator> estimator_;
  BuiltOptim optim_;
  AveragedModel averages_;
  StepCapture capture_;
  Tensor inputs_;
};

void expect_same(const SmallTraining& a, const SmallTraining& b) {
  ASSERT_EQ(a.losses.size(), b.losses.size());
  for (size_t i = 0; i < a.losses.size(); ++i)  // the norm of a skipped step may be NaN
    EXPECT_TRUE(a.losses[i] == b.losses[i] || (std::isnan(a.losses[i]) && std::isnan(b.losses[i])))
        << i << ": " << a.losses[i] << ", " << b.losses[i];
  const std::vector<NamedTensor> left = a.state(), right = b.state();
  ASSERT_EQ(left.size(), right.size());
  for (size_t i = 0; i < left.size(); ++i) {
    ASSERT_EQ(left[i].name, right[i].name);
    EXPECT_EQ(std::memcmp(left[i].value.raw(), right[i].value.raw(), left[i].value.bytes()), 0)
        << left[i].name;
  }
}

struct CapturedCase {
  const char *family, *wrapper, *name;
};

class CapturedSteps : public OnGpuWithParam<CapturedCase> {};

TEST_P(CapturedSteps, EqualThoseThatAreNot) {
  const TrainingFamily& family = family_of(GetParam().family);
  SmallTraining plain(family, GetParam().wrapper, false);
  for (int i = 0; i < 9; ++i) plain.iterate(i);
  EXPECT_FALSE(plain.is_captured());
  SmallTraining captured(family, GetParam().wrapper, true);
  const LateWork late;
  for (int i = 0; i < 9; ++i) captured.iterate(i);
  ASSERT_TRUE(captured.is_captured()) << captured.told[0];
  EXPECT_EQ(captured.told.size(), 1u);
  expect_same(captured, plain);
}

INSTANTIATE_TEST_SUITE_P(Families, CapturedSteps,
                         testing::Values(CapturedCase{"ResNet", kAdamW, "ResNetClipped"},
                                         CapturedCase{"ResNet", kHalf, "ResNetScaled"},
                                         CapturedCase{"ResNet", kAccumulated, "ResNetAccumulated"},
                                         CapturedCase{"RTMPose", kAccumulatedHalf,
                                                      "RTMPoseAccumulatedScaled"},
                                         CapturedCase{"RTMPose", kAdamW, "RTMPose"},
                                         CapturedCase{"ViT", kSgd, "ViTWithDropPath"},
                                         CapturedCase{"TCN", kSgd, "TCNWithDropout"}),
                         [](const auto& row) { return row.param.name; });

class StepCaptures : public OnGpu<> {};

TEST_F(StepCaptures, ASmallerBatchRunsAsItIsWritten) {
  const TrainingFamily& family = family_of("ResNet");
  std::optional<SmallTraining> runs[2];
  for (const bool captures : {false, true}) {
    SmallTraining& run = runs[captures].emplace(family, kSgd, captures);
    for (int i = 0; i < 10; ++i) {
      if (i == 7) run.begin_epoch();
      run.iterate(i, i == 6 ? 1 : 2);
    }
  }
  EXPECT_TRUE(runs[1]->is_captured());
  expect_same(*runs[1], *runs[0]);
}

// Assigners read what the network finds and build other work from it.
TEST_F(StepCaptures, AModelThatDecidesByItsNumbersIsNotCaptured) {
  TrainingFamily family = family_of("YOLOXPose");
  TrainingNetwork network(family, kGpu);
  std::vector<std::string> told;
  StepCapture capture(
      kGpu, "", [] {}, [&](const std::string& line) { told.push_back(line); });
  for (int i = 0; i < 6; ++i) capture.run("same", [&] { return Losses{{"loss", network.loss()}}; });
  EXPECT_FALSE(capture.is_captured());
  ASSERT_EQ(told.size(), 1u);
  EXPECT_NE(told[0].find("not captured as a CUDA graph: the host reads"), std::string::npos)
      << told[0];
}

// Steps on a few numbers, for what families do not show.
struct NumberSteps {
  std::vector<std::string> told;
  Tensor x = Tensor::from(std::vector<float>{1, 2, 3, 4}, {4}).to(kGpu);
  StepCapture capture{kGpu, "", [] {}, [this](const std::string& line) { told.push_back(line); }};

  double run(const std::string& shapes, const std::function<Tensor()>& step) {
    const Losses found = capture.run(shapes, [&] { return Losses{{"loss", step()}}; });
    capture.wait();
    return found[0].second.item();
  }
};

TEST_F(StepCaptures, NumbersOfTheHostThatChangeAreFound) {
  for (const bool as_attribute : {false, true}) {
    NumberSteps steps;
    int i = 0;
    const auto step = [&] {
      ++i;
      const DeviceScope scope(kGpu);
      if (as_attribute) return sum(slice(steps.x, 0, i % 2, 3));
      return sum(steps.x * Tensor::from(std::vector<float>{float(i)}, {1}));
    };
    for (int k = 0; k < 5; ++k) steps.run("same", step);
    EXPECT_FALSE(steps.capture.is_captured());
    ASSERT_EQ(steps.told.size(), 1u);
    EXPECT_NE(steps.told[0].find(as_attribute ? "decides by its numbers: step 0, Slice"
                                              : "decides by its numbers: step 0, copy"),
              std::string::npos)
        << steps.told[0];
  }
}

TEST_F(StepCaptures, WhatChangesWithTheEpochIsCapturedAgain) {
  NumberSteps steps;
  for (int epoch = 1; epoch <= 3; ++epoch) {
    steps.capture.begin_epoch();
    for (int i = 0; i < 5; ++i)
      EXPECT_EQ(steps.run("same", [&] { return sum(steps.x * double(epoch)); }), 10 * epoch);
    EXPECT_TRUE(steps.capture.is_captured());
  }
  EXPECT_EQ(steps.told.size(), 1u);
}

TEST_F(StepCaptures, ShapesThatChangeAreGivenUp) {
  NumberSteps steps;
  for (int i = 0; i < 6; ++i)
    steps.run(std::to_string(i), [&] { return sum(slice(steps.x, 0, 0, 1 + i % 4)); });
  EXPECT_FALSE(steps.capture.is_captured());
  ASSERT_EQ(steps.told.size(), 1u);
  EXPECT_NE(steps.told[0].find("the shapes of the batches change"), std::string::npos);
}

TEST_F(StepCaptures, ARunOfTheProgramIsTheSameWithAndWithout) {
  const TinyRun tiny;
  const ProgramResult with = tiny.train("with", {"--device", "cuda:0"});
  ASSERT_EQ(with.exit_code, 0) << with.err;
  expect_captured(with, 13);
  EXPECT_NE((with.out + with.err).find(" blocks asked of the driver"), std::string::npos);
  const ProgramResult without = tiny.train("without", {"--device", "cuda:0", "--no-cuda-graph"});
  ASSERT_EQ(without.exit_code, 0) << without.err;
  EXPECT_NE((without.out + without.err).find("not captured as a CUDA graph: it is turned off"),
            std::string::npos);
  expect_same_tensors(tiny.last("with"), tiny.last("without"));
}

// 18 iterations are four windows of four and one of two, whose losses have other shares.
TEST_F(StepCaptures, ARunWithAccumulatedGradientsIsCapturedAndTheSame) {
  const TinyRun tiny;
  std::vector<std::string> words{"--device", "cuda:0", "optim_wrapper.accumulative_counts=4"};
  const ProgramResult with = tiny.train("with", words);
  ASSERT_EQ(with.exit_code, 0) << with.err;
  expect_captured(with, 13);
  words.push_back("--no-cuda-graph");
  const ProgramResult without = tiny.train("without", words);
  ASSERT_EQ(without.exit_code, 0) << without.err;
  expect_same_tensors(tiny.last("with"), tiny.last("without"));
}

}  // namespace
}  // namespace limber::test
