// Bottom-up estimation beyond the parity cases: several people, several images, several scales,
// bad options.
#include "pose/estimators/bottomup.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/autograd.h"
#include "nn/init.h"
#include "pose/losses/loss.h"
#include "tensor/ops.h"
#include "tests/support/heads.h"
#include "tests/support/tensors.h"

namespace limber {
namespace {

using test::kCID;
using test::kDEKR;

constexpr char kAe[] = R"({"type": "AssociativeEmbeddingHead", "in_channels": 6,
  "num_keypoints": 3, "tag_dim": 1, "deconv_out_channels": null,
  "decoder": {"type": "AssociativeEmbedding", "input_size": [64, 48], "heatmap_size": [64, 48],
              "decode_max_instances": 5}})";

// A head whose weights are large enough for its maps to have people on them.
struct Made {
  ParameterStore store{3};
  std::unique_ptr<Head> head;
  explicit Made(const char* json)
      : head(make_head(Config::parse(json, "head"), Scope(store) / "head")) {
    for (const Parameter& p : store.all())
      if (p.role == Role::parameter && p.value.rank() > 1)
        store.initialise(p.name, init::uniform(-0.5, 0.5));
    store.train(false);
  }
};

std::vector<DataSample> samples_of(size_t count) {
  std::vector<DataSample> samples(count);
  for (DataSample& s : samples) {
    s.meta.input_size = {64, 48};
    s.meta.flip_indices = {0, 2, 1};
    s.meta.more["skeleton_links"] = {Tensor::from(std::vector<int64_t>{0, 1, 0, 2}, {2, 2})};
  }
  return samples;
}

Tensor features_of(int64_t images) { return test::uniform({images, 12, 16, 6}, -1, 1, 11); }

TestOptions options(const char* json) { return read_test_options(Config::parse(json, "test_cfg")); }

class BottomupHead : public testing::TestWithParam<const char*> {};

TEST_P(BottomupHead, ImagesOfABatchDoNotSeeEachOther) {
  Made made(GetParam());
  const TestOptions test = options(R"({"flip_test": true, "restore_heatmap_size": true})");
  const Tensor both = features_of(2), mirrored = test::uniform({2, 12, 16, 6}, -1, 1, 12);
  const Features flipped{mirrored};
  const auto together = made.head->predict({both}, &flipped, samples_of(2), test);
  ASSERT_EQ(together.size(), 2u);
  for (int64_t i = 0; i < 2; ++i) {
    const Features one{slice(mirrored, 0, i, i + 1)};
    const auto alone = made.head->predict({slice(both, 0, i, i + 1)}, &one, samples_of(1), test);
    const Tensor &got = together[size_t(i)].instances.keypoints,
                 &want = alone[0].instances.keypoints;
    ASSERT_EQ(got.shape(), want.shape());
    EXPECT_GT(got.numel(), 0);
    for (int64_t j = 0; j < got.numel(); ++j)
      EXPECT_NEAR(got.data<float>()[j], want.data<float>()[j], 1e-3);
  }
}

// The head's type.
std::string head_name(const testing::TestParamInfo<const char*>& info) {
  return Config::parse(info.param).type();
}

INSTANTIATE_TEST_SUITE_P(Heads, BottomupHead, testing::Values(kAe, kDEKR, kCID), head_name);

TEST(AssociativeEmbeddingHead, AveragesMapsOverScales) {
  Made made(kAe);
  const TestOptions test = options(R"({"multiscale_test": true, "align_corners": true})");
  const ScaleFeatures scale{{features_of(1)}, {}};
  const ScaleFeatures twice[] = {scale, scale};
  const auto once = made.head->predict_scales({&scale, 1}, samples_of(1), test);
  const auto again = made.head->predict_scales(twice, samples_of(1), test);
  const Tensor &a = once[0].instances.keypoints, &b = again[0].instances.keypoints;
  ASSERT_EQ(a.shape(), b.shape());
  for (int64_t j = 0; j < a.numel(); ++j) EXPECT_NEAR(a.data<float>()[j], b.data<float>()[j], 1e-3);
}

TEST(AssociativeEmbeddingHead, CountsAKeyPointThatAnybodyOnTheImageHas) {
  Made made(kAe);
  std::vector<DataSample> samples = samples_of(1);
  samples[0].fields["heatmaps"] = {Tensor::zeros({3, 12, 16})};
  samples[0].labels["keypoint_indices"] = {Tensor::zeros({2, 3, 2}, DType::i64)};
  const auto loss = [&](std::vector<float> weights) {
    samples[0].labels["keypoint_weights"] = {Tensor::from(weights, {2, 3})};
    return made.head->loss({features_of(1)}, samples)[0].second.item();
  };
  const double first = loss({1, 0, 0, 0, 0, 0}), second = loss({0, 0, 0, 0, 1, 0});
  EXPECT_GT(first, 0);
  EXPECT_NEAR(loss({1, 0, 0, 0, 1, 0}), first + second, 1e-5);
  EXPECT_NEAR(loss({1, 0, 0, 1, 1, 0}), first + second, 1e-5);
}

TEST(AssociativeEmbeddingLoss, IsZeroWithoutPeople) {
  ParameterStore store;
  const auto loss =
      make_loss(Config::parse(R"({"type": "AssociativeEmbeddingLoss"})"), Scope(store));
  const auto values = (*loss)({.outputs = {test::uniform({1, 3, 4, 4}, -1, 1, 1)},
                               .targets = {Tensor::zeros({0, 3, 2}, DType::i64)},
                               .weight = {},
                               .mask = {}});
  ASSERT_EQ(values.size(), 2u);
  EXPECT_EQ(values[0].item(), 0);
  EXPECT_EQ(values[1].item(), 0);
}

TEST(CidHead, LimitsThePeopleOfATrainingBatch) {
  Made made(kCID);
  std::vector<DataSample> samples = samples_of(2);
  for (DataSample& s : samples) {
    s.fields["heatmaps"] = {Tensor::zeros({4, 12, 16})};
    s.fields["instance_heatmaps"] = {Tensor::full({6, 12, 16}, 1)};
    s.labels["keypoint_weights"] = {Tensor::full({2, 3}, 1)};
    s.labels["instance_coords"] = {Tensor::from(std::vector<int32_t>{2, 3, 9, 8}, {2, 2})};
  }
  const Features features{features_of(2)};
  const auto names = [&] {
    std::vector<std::string> all;
    for (const auto& [name, value] : made.head->loss(features, samples)) {
      EXPECT_TRUE(std::isfinite(value.item())) << name;
      all.push_back(name);
    }
    return all;
  };
  const std::vector<std::string> want{"loss/heatmap_coupled", "loss/heatmap_decoupled",
                                      "loss/contrastive"};
  EXPECT_EQ(names(), want);
  made.head->train.max_train_instances = 1;
  EXPECT_EQ(names(), want);
  for (DataSample& s : samples) {
    s.fields["instance_heatmaps"] = {Tensor::zeros({0, 12, 16})};
    s.labels["keypoint_weights"] = {Tensor::zeros({0, 3})};
    s.labels["instance_coords"] = {Tensor::zeros({0, 2}, DType::i32)};
  }
  EXPECT_EQ(names(), std::vector<std::string>{"loss/heatmap_coupled"});
}

TEST(CidHead, FindsNobodyOnAnEmptyPicture) {
  Made made(kCID);
  made.store.initialise("head.iia_module.keypoint_root_conv.bias", init::constant(-50));
  made.store.initialise("head.iia_module.keypoint_root_conv.weight", init::constant(0));
  const Features features{features_of(1)};
  const Outputs maps = made.head->forward(features);
  EXPECT_EQ(maps[0].second.shape(), (Shape{0, 3, 12, 16}));
}

TEST(DekrHead, RescoresWhereTheSkeletonIsKnown) {
  Made made(kDEKR);
  const TestOptions test = options("{}");
  std::vector<DataSample> samples = samples_of(1);
  const auto scored = made.head->predict({features_of(1)}, nullptr, samples, test);
  samples[0].meta.more.clear();
  const auto plain = made.head->predict({features_of(1)}, nullptr, samples, test);
  const Tensor &a = scored[0].instances.keypoint_scores, &b = plain[0].instances.keypoint_scores;
  ASSERT_EQ(a.shape(), b.shape());
  EXPECT_NE(a.data<float>()[0], b.data<float>()[0]);
  samples[0].meta.more["skeleton_links"] = {Tensor::from(std::vector<int64_t>{0, 1}, {1, 2})};
  EXPECT_THROW(made.head->predict({features_of(1)}, nullptr, samples, test), InputError);
}

constexpr char kModel[] = R"({"type": "BottomupPoseEstimator", "use_syncbn": true,
  "backbone": {"type": "ResNet", "depth": 18, "stem_channels": 4, "base_channels": 4,
               "strides": [1, 1, 1, 1]}, "head": )";

std::string model(const std::string& head, const std::string& test_cfg) {
  return kModel + head + ", \"test_cfg\": " + test_cfg + "}";
}

TEST(BottomupPoseEstimator, PutsKeyPointsIntoTheImage) {
  ParameterStore store(5);
  std::string head = kAe;
  head.replace(head.find("\"in_channels\": 6"), 16, "\"in_channels\": 32");
  const auto estimator = make_estimator(
      Config::parse(model(head, R"({"restore_heatmap_size": true})"), "model"), Scope(store));
  for (const Parameter& p : store.all())
    if (p.name.starts_with("head.")) store.initialise(p.name, init::uniform(-1, 1));
  store.train(false);
  const Tensor image = test::uniform({1, 48, 64, 3}, -1, 1, 4);
  std::vector<DataSample> samples = samples_of(1);
  samples[0].meta.input_scale = {64, 48};
  samples[0].meta.input_center = {32, 24};
  estimator->predict(image, samples);
  const Tensor small = samples[0].pred_instances.keypoints;
  ASSERT_GT(small.numel(), 0);
  EXPECT_EQ(samples[0].pred_instances.keypoints_visible.shape(), small.shape().without(2));
  EXPECT_EQ(samples[0].pred_instances.bbox_scores.size(0), small.size(0));
  samples[0].meta.input_scale = {128, 96};
  samples[0].meta.input_center = {64, 48};
  estimator->predict(image, samples);
  const Tensor large = samples[0].pred_instances.keypoints;
  ASSERT_EQ(large.shape(), small.shape());
  double widest = 0;
  for (int64_t i = 0; i < small.numel(); ++i) {
    EXPECT_NEAR(large.data<float>()[i], 2 * small.data<float>()[i], 1e-3);
    widest = std::max(widest, double(small.data<float>()[i]));
  }
  EXPECT_GT(widest, 20);  // of the restored size, not of the maps
}

TEST(BottomupPoseEstimator, RefusesScalesThatDoNotFit) {
  ParameterStore store;
  const auto make = [&](const char* head, const char* test_cfg) {
    return make_estimator(Config::parse(model(head, test_cfg), "model"), Scope(store, "a"));
  };
  EXPECT_THROW(make(kDEKR, R"({"multiscale_test": true})"), InputError);
  ParameterStore other;
  const auto estimator = make_estimator(
      Config::parse(model(kAe, R"({"multiscale_test": true})"), "model"), Scope(other));
  std::vector<DataSample> samples = samples_of(1);
  EXPECT_THROW(estimator->predict(test::uniform({1, 48, 64, 3}, -1, 1, 4), samples), InputError);
}

TEST(BottomupHeads, RefuseBadOptions) {
  const auto made = [](std::string json, const std::string& from, const std::string& to) {
    json.replace(json.find(from), from.size(), to);
    Made head(json.c_str());
  };
  EXPECT_THROW(made(kCID, "\"prior_prob\": 0.4", "\"prior_prob\": 1"), InputError);
  EXPECT_THROW(made(kCID, "gfd_channels", "gdf_channels"), InputError);
  EXPECT_THROW(made(kAe, "\"tag_dim\": 1", "\"tag_dim\": 0"), InputError);
  EXPECT_THROW(made(kDEKR, "norm_indexes", "norm_index"), InputError);
}

}  // namespace
}  // namespace limber
