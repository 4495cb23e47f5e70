// A training step of small models of four families on a GPU against the CPU: loss, every gradient,
// and the loss after an optimiser's step.
#include <gtest/gtest.h>

#include <cmath>

#include "autograd/autograd.h"
#include "kernels/cuda/runtime/gpu.h"
#include "nn/optim/optimizer.h"
#include "pose/engine/model.h"
#include "tensor/ops.h"
#include "tests/support/tensors.h"

namespace limber::test {
namespace {

const Device kGpu{DeviceType::cuda, 0};

struct Family {
  const char* name;
  const char* model;      // the config's `model` node
  std::vector<int> maps;  // rows and columns of heat maps, or bins of the two axes
  enum Targets { heatmaps, simcc, tags } targets = heatmaps;
};

const std::vector<Family>& families() {
  static const std::vector<Family> all{
      {"ResNet",
       R"({
        "type": "TopdownPoseEstimator",
        "backbone": {"type": "ResNet", "depth": 18, "stem_channels": 8, "base_channels": 8},
        "head": {"type": "HeatmapHead", "in_channels": 64, "out_channels": 5,
                 "deconv_out_channels": [16, 16], "deconv_kernel_sizes": [4, 4],
                 "loss": {"type": "KeypointMSELoss", "use_target_weight": true}}})",
       {8, 8}},
      {"HRNet",
       R"({
        "type": "TopdownPoseEstimator",
        "backbone": {"type": "HRNet", "in_channels": 3, "extra": {
          "stage1": {"num_modules": 1, "num_branches": 1, "block": "BOTTLENECK",
                     "num_blocks": [1], "num_channels": [8]},
          "stage2": {"num_modules": 1, "num_branches": 2, "block": "BASIC",
                     "num_blocks": [1, 1], "num_channels": [8, 16]},
          "stage3": {"num_modules": 1, "num_branches": 3, "block": "BASIC",
                     "num_blocks": [1, 1, 1], "num_channels": [8, 16, 24]},
          "stage4": {"num_modules": 1, "num_branches": 4, "block": "BASIC",
                     "num_blocks": [1, 1, 1, 1], "num_channels": [8, 16, 24, 32]}}},
        "head": {"type": "HeatmapHead", "in_channels": 8, "out_channels": 5,
                 "deconv_out_channels": null,
                 "loss": {"type": "KeypointMSELoss", "use_target_weight": true}}})",
       {16, 16}},
      {"RTMPose",
       R"({
        "type": "TopdownPoseEstimator",
        "backbone": {"type": "CSPNeXt", "arch": "P5", "expand_ratio": 0.5, "deepen_factor": 0.1,
                     "widen_factor": 0.125, "out_indices": [4], "channel_attention": true,
                     "norm_cfg": {"type": "BN"}, "act_cfg": {"type": "SiLU"}},
        "head": {"type": "RTMCCHead", "in_channels": 128, "out_channels": 5, "input_size": [64, 64],
                 "in_featuremap_size": [2, 2], "simcc_split_ratio": 2.0,
                 "final_layer_kernel_size": 3,
                 "gau_cfg": {"hidden_dims": 16, "s": 8, "expansion_factor": 2,
                             "dropout_rate": 0.0, "drop_path": 0.0, "act_fn": "SiLU",
                             "use_rel_bias": true, "pos_enc": true},
                 "loss": {"type": "KLDiscretLoss", "use_target_weight": true, "beta": 10.0,
                          "label_softmax": true},
                 "decoder": {"type": "SimCCLabel", "input_size": [64, 64], "sigma": [4.9, 5.66],
                             "simcc_split_ratio": 2.0, "normalize": false, "use_dark": false}}})",
       {128, 128},
       Family::simcc},
      {"AssociativeEmbedding",
       R"({
        "type": "BottomupPoseEstimator",
        "backbone": {"type": "ResNet", "depth": 18, "stem_channels": 8, "base_channels": 8},
        "head": {"type": "AssociativeEmbeddingHead", "in_channels": 64, "num_keypoints": 5,
                 "deconv_out_channels": [16, 16], "deconv_kernel_sizes": [4, 4],
                 "keypoint_loss": {"type": "KeypointMSELoss"},
                 "tag_loss": {"type": "AssociativeEmbeddingLoss", "loss_weight": 0.1}}})",
       {8, 8},
       Family::tags},
  };
  return all;
}

std::vector<DataSample> samples_for(const Family& family, int64_t count, int64_t points) {
  std::vector<DataSample> samples(static_cast<size_t>(count));
  for (size_t i = 0; i < samples.size(); ++i) {
    DataSample& s = samples[i];
    s.labels["keypoint_weights"] = {uniform({1, points}, 0.5, 1, 40 + i)};
    if (family.targets == Family::tags) {  // two people
      std::vector<int64_t> indices;
      for (int64_t point = 0; point < 2 * points; ++point) {
        indices.push_back(point * 5 % 64);
        indices.push_back(point != 3 ? 1 : 0);
      }
      s.labels["keypoint_indices"] = {Tensor::from(indices, {2, points, 2})};
      s.labels["keypoint_weights"] = {uniform({2, points}, 0.5, 1, 80 + i)};
    }
    if (family.targets == Family::simcc) {
      s.labels["keypoint_x_labels"] = {uniform({1, points, family.maps[0]}, 0, 1, 50 + i)};
      s.labels["keypoint_y_labels"] = {uniform({1, points, family.maps[1]}, 0, 1, 60 + i)};
    } else {
      s.fields["heatmaps"] = {uniform({points, family.maps[0], family.maps[1]}, 0, 1, 70 + i)};
    }
  }
  return samples;
}

struct StepResult {
  double loss = 0, next_loss = 0;
  std::vector<std::pair<std::string, Tensor>> grads;  // on the CPU
};

Tensor loss_of(const Model& model, const Tensor& inputs, const std::vector<DataSample>& samples) {
  Tensor total;
  for (const auto& [name, value] : model.estimator->loss(inputs, samples))
    if (name.starts_with("loss")) total = total.defined() ? total + value : value;
  return total;
}

StepResult train_one_step(const Family& family, Device device) {
  Config config = Config::object();
  config.set("model", Config::parse(family.model, family.name));
  Model model = build_model(config, 7);
  model.to(device);
  model.store->train(true);
  const std::vector<DataSample> samples = samples_for(family, 2, 5);
  const Tensor inputs = uniform({2, 64, 64, 3}, -1, 1, 9).to(device);
  const DeviceScope scope(device);
  ParamGroup group;
  group[Hyper::lr] = 1e-3;
  for (const Parameter& p : model.store->all())
    if (p.role == Role::parameter && p.trainable)
      group.parameters.push_back(&model.store->at(p.name));
  OptimizerOptions options = OptimizerOptions::defaults(OptimizerKind::sgd);
  options.lr = 1e-3;
  Optimizer optimizer(options, {group});
  StepResult result;
  {
    Tape tape;
    const Tensor loss = loss_of(model, inputs, samples);
    result.loss = loss.item();
    tape.backward(loss);
  }
  for (const Parameter* p : group.parameters)
    if (const Tensor grad = grad_of(p->value); grad.defined())
      result.grads.emplace_back(p->name, grad.to(Device{}));
  optimizer.step(1, INFINITY);
  result.next_loss = loss_of(model, inputs, samples).item();
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

class CudaTraining : public testing::TestWithParam<size_t> {};

TEST_P(CudaTraining, AStepEqualsTheCpus) {
  if (kernels::gpu::device_count() == 0) GTEST_SKIP() << kernels::gpu::why_none();
  const Family& family = families()[GetParam()];
  const StepResult cpu = train_one_step(family, {}), gpu = train_one_step(family, kGpu);
  EXPECT_NEAR(gpu.loss, cpu.loss, 1e-5 * std::abs(cpu.loss));
  ASSERT_EQ(gpu.grads.size(), cpu.grads.size());
  ASSERT_GT(cpu.grads.size(), 20u);
  double largest = 0;
  for (const auto& [name, grad] : cpu.grads)
    largest = std::max(largest, root_mean_square(grad, nullptr));
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

INSTANTIATE_TEST_SUITE_P(Families, CudaTraining, testing::Range<size_t>(0, families().size()),
                         [](const auto& row) { return families()[row.param].name; });

}  // namespace
}  // namespace limber::test
