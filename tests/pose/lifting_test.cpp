// What the parity cases of lifting leave out: equal forms of one network, semi-supervision, the
// trajectory, errors.
#include <gtest/gtest.h>

#include <cmath>

#include "autograd/autograd.h"
#include "pose/estimators/estimator.h"
#include "pose/losses/loss.h"
#include "tensor/ops.h"
#include "tests/support/tensors.h"

namespace limber {
namespace {

constexpr const char* kTcn =
    R"("type": "TCN", "in_channels": 4, "stem_channels": 8, "num_blocks": 1, "dropout": 0)";

std::unique_ptr<Backbone> backbone(const std::string& json, ParameterStore& store) {
  return make_backbone(Config::parse("{" + json + "}", "test"), Scope(store));
}

TEST(TCN, StridesAndDilationsAgreeOnOneOutputFrame) {
  ParameterStore a(1), b(1);
  const auto dilated = backbone(std::string(kTcn) + R"(, "kernel_sizes": [3, 5])", a);
  const auto strided =
      backbone(std::string(kTcn) + R"(, "kernel_sizes": [3, 5], "use_stride_conv": true)", b);
  const Tensor x = test::uniform({2, 4, 15}, -1, 1, 1);
  const Tensor p = (*dilated)(x).back(), q = (*strided)(x).back();
  ASSERT_EQ(p.shape(), q.shape());
  ASSERT_EQ(p.shape(), Shape({2, 1, 1, 8}));
  for (int64_t i = 0; i < p.numel(); ++i) EXPECT_NEAR(p.data<float>()[i], q.data<float>()[i], 1e-5);
}

TEST(TCN, WeightsKeepTheirNorm) {
  ParameterStore store(1);
  const auto net =
      backbone(std::string(kTcn) + R"(, "kernel_sizes": [1, 1], "max_norm": 0.5)", store);
  (*net)(test::uniform({1, 4, 1}, -1, 1, 1));
  const Tensor& weight = store.at("expand_conv.conv.weight").value;
  EXPECT_NEAR(std::sqrt(sum(square(weight)).item()), 0.5, 1e-4);
}

TEST(TCN, BadOptionsAndInputsAreRefused) {
  for (const char* more : {R"(, "kernel_sizes": [3, 3, 3])", R"(, "kernel_sizes": [2, 3])",
                           R"(, "kernel_sizes": [3, 3], "dropout": 1.5)"}) {
    ParameterStore store(1);
    std::string json = std::string(kTcn) + more;
    if (json.find("1.5") != std::string::npos) json.erase(json.find(R"(, "dropout": 0)"), 14);
    EXPECT_THROW(backbone(json, store), InputError) << more;
  }
  ParameterStore store(1);
  const auto net = backbone(std::string(kTcn) + R"(, "kernel_sizes": [3, 3])", store);
  EXPECT_THROW((*net)(Tensor::zeros({1, 4, 8})), Error);
  EXPECT_THROW((*net)(Tensor::zeros({1, 5, 9})), Error);
}

constexpr const char* kDstFormer =
    R"("type": "DSTFormer", "in_channels": 3, "feat_size": 8, "depth": 1, "num_heads": 2,
       "num_keypoints": 4, "seq_len": 6)";

TEST(DSTFormer, TakesSequencesUpToItsLength) {
  ParameterStore store(1);
  const auto net = backbone(kDstFormer, store);
  EXPECT_EQ((*net)(Tensor::zeros({2, 5, 4, 3})).at(0).shape(), Shape({2, 5, 4, 8}));
  EXPECT_THROW((*net)(Tensor::zeros({2, 7, 4, 3})), Error);
  ParameterStore other(1);
  EXPECT_THROW(backbone(std::string(kDstFormer) + R"(, "attn_drop_rate": 0.1)", other), InputError);
}

TEST(DSTFormer, FramesSeeEachOther) {
  ParameterStore store(1);
  const auto net = backbone(kDstFormer, store);
  Tensor x = test::uniform({1, 5, 4, 3}, -1, 1, 1);
  const Tensor before = (*net)(x).at(0);
  x = x.clone();
  x.data<float>()[4 * 4 * 3] += 1;  // the last frame
  const Tensor after = (*net)(x).at(0);
  double change = 0;
  for (int64_t i = 0; i < 4 * 8; ++i)  // of the first
    change += std::abs(before.data<float>()[i] - after.data<float>()[i]);
  EXPECT_GT(change, 1e-6);
}

TEST(SemiSupervisionLoss, IsSilentWhileItWarmsUp) {
  ParameterStore store;
  const auto loss = make_loss(Config::parse(R"({"type": "SemiSupervisionLoss",
      "joint_parents": [0, 0, 1], "warmup_iterations": 3})",
                                            "test"),
                              Scope(store));
  LossInput input;
  input.outputs = {test::uniform({2, 3, 3}, -1, 1, 1), test::uniform({2, 3, 3}, -1, 1, 2),
                   test::uniform({2, 1, 3}, 4, 5, 3)};
  input.targets = {test::uniform({2, 3, 2}, -1, 1, 4), Tensor::full({2, 4}, 1)};
  EXPECT_TRUE((*loss)(input).empty());
  EXPECT_TRUE((*loss)(input).empty());
  EXPECT_EQ((*loss)(input).size(), 2u);
  EXPECT_THROW(make_loss(Config::parse(R"({"type": "BoneLoss", "joint_parents": [0, 5]})", "test"),
                         Scope(store)),
               InputError);
}

constexpr const char* kBranch = R"({"type": "TCN", "in_channels": 4, "stem_channels": 8,
    "num_blocks": 1, "kernel_sizes": [1, 1], "dropout": 0})";

Config semi_model() {
  const std::string codec = R"({"type": "VideoPoseLifting", "num_keypoints": 2})";
  return Config::parse(
      std::string(R"({"type": "PoseLifter", "backbone": )") + kBranch + R"(, "traj_backbone": )" +
          kBranch + R"(, "head": {"type": "TemporalRegressionHead", "in_channels": 8,
          "num_joints": 2, "loss": {"type": "MPJPELoss"}, "decoder": )" +
          codec +
          R"(}, "traj_head": {"type": "TrajectoryRegressionHead", "in_channels": 8,
          "num_joints": 1, "decoder": )" +
          codec + R"(}, "semi_loss": {"type": "SemiSupervisionLoss", "joint_parents": [0, 0]}})",
      "test");
}

TEST(PoseLifter, LearnsFromSequencesWithoutLabels) {
  ParameterStore store(1);
  const auto model = make_estimator(semi_model(), Scope(store));
  std::vector<DataSample> samples(3);
  for (size_t i = 0; i < 2; ++i) {
    samples[i].labels["lifting_target_label"] = {test::uniform({1, 2, 3}, -1, 1, i)};
    samples[i].labels["lifting_target_weight"] = {Tensor::full({1, 2}, 1)};
    samples[i].labels["trajectory_weights"] = {Tensor::full({1, 2}, 1)};
  }
  samples[2].meta.more["target_2d"] = {test::uniform({2, 2}, -1, 1, 5)};
  samples[2].meta.more["intrinsics"] = {Tensor::full({9}, 0.5)};
  const Tensor x = test::uniform({3, 4, 1}, -1, 1, 6);
  std::map<std::string, double> found;
  for (const auto& [name, value] : model->loss(x, samples)) found[name] = value.item();
  for (const char* name : {"loss_pose3d", "loss_traj", "mpjpe", "mpjpe_traj", "semi_loss/proj_loss",
                           "semi_loss/bone_loss"})
    EXPECT_TRUE(found.contains(name) && std::isfinite(found[name])) << name;
  samples.pop_back();
  EXPECT_EQ(model->loss(test::uniform({2, 4, 1}, -1, 1, 6), samples).size(), 4u);
  samples[0].labels.clear();
  samples[1].labels.clear();
  EXPECT_THROW(model->loss(test::uniform({2, 4, 1}, -1, 1, 6), samples), Error);
}

TEST(PoseLifter, AddsTheRootToWhatItPredicts) {
  ParameterStore store(1);
  const auto model = make_estimator(semi_model(), Scope(store));
  std::vector<DataSample> samples(2);
  samples[1].meta.more["target_root"] = {Tensor::from(std::vector<float>{1, 2, 3}, {1, 3})};
  const Tensor one = test::uniform({1, 4, 1}, -1, 1, 1);
  model->predict(concat({one, one}, 0), samples);
  const Tensor &a = samples[0].pred_instances.keypoints, &b = samples[1].pred_instances.keypoints;
  ASSERT_EQ(a.shape(), Shape({1, 2, 3}));
  for (int64_t i = 0; i < 6; ++i)
    EXPECT_NEAR(b.data<float>()[i] - a.data<float>()[i], 1 + i % 3, 1e-5);
  EXPECT_EQ(samples[0].pred_instances.more.at("trajectory").at(0).shape(), Shape({1, 1, 3}));
}

TEST(PoseLifter, SemiSupervisionNeedsATrajectory) {
  Config config = semi_model();
  config.erase("traj_backbone");
  config.erase("traj_head");
  ParameterStore store(1);
  EXPECT_THROW(make_estimator(config, Scope(store)), InputError);
}

}  // namespace
}  // namespace limber
