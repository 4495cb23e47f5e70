// What the parity cases of heads leave out: switches by epoch, extra outputs, refinement, errors.
#include "pose/heads/head.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/autograd.h"
#include "pose/losses/loss.h"
#include "tensor/ops.h"
#include "tests/support/tensors.h"

namespace limber {
namespace {

struct Made {
  ParameterStore store{1};
  std::unique_ptr<Head> head;
  explicit Made(const char* json)
      : head(make_head(Config::parse(json, "head"), Scope(store) / "head")) {}
};

double loss_of(const Head& head, const Features& features, const std::vector<DataSample>& samples) {
  for (const auto& [name, value] : head.loss(features, samples))
    if (name == "loss_kpt") return value.item();
  return std::nan("");
}

TEST(DsntHead, DropsTheLossOfMapsFromLambdaTOn) {
  Made made(R"({"type": "DSNTHead", "in_channels": 3, "in_featuremap_size": [4, 6],
                "num_joints": 2, "deconv_out_channels": null, "lambda_t": 5})");
  std::vector<DataSample> samples(1);
  samples[0].labels["keypoint_labels"] = {test::uniform({1, 2, 2}, 0, 1, 1)};
  samples[0].labels["keypoint_weights"] = {Tensor::full({1, 2}, 1)};
  samples[0].fields["heatmaps"] = {reshape(softmax(test::uniform({2, 24}, 0, 5, 2)), {2, 6, 4})};
  const Features features{test::uniform({1, 6, 4, 3}, -1, 1, 3)};
  made.head->train.epoch = 4;
  const double both = loss_of(*made.head, features, samples);
  made.head->train.epoch = 5;
  const double coords = loss_of(*made.head, features, samples);
  EXPECT_GT(both, coords);
  EXPECT_GT(coords, 0);
}

TEST(JsDiscretLoss, GradientIsFiniteForPointsThatDoNotCount) {
  ParameterStore store;
  const auto loss = make_loss(Config::parse(R"({"type": "JSDiscretLoss"})"), Scope(store));
  const Tensor maps = softmax(test::uniform({1, 2, 12}, -1, 1, 1));
  const Tensor target = softmax(test::uniform({1, 2, 12}, -1, 1, 2));
  const Tensor weight = Tensor::from(std::vector<float>{1, 0}, {1, 2});
  require_grad(maps);
  Tape tape;
  tape.backward(
      loss->single({.outputs = {maps}, .targets = {target}, .weight = weight, .mask = {}}));
  const std::span<float> grad = grad_of(maps).span<float>();
  for (size_t i = 0; i < 12; ++i) EXPECT_TRUE(std::isfinite(grad[i]) && grad[i] != 0) << i;
  for (size_t i = 12; i < 24; ++i) EXPECT_EQ(grad[i], 0) << i;
}

TEST(RtmccHead, DrawsItsLogitsAsMaps) {
  Made made(R"({"type": "RTMCCHead", "in_channels": 4, "out_channels": 3, "input_size": [8, 16],
                "in_featuremap_size": [2, 4], "gau_cfg": {"hidden_dims": 8, "s": 4},
                "decoder": {"type": "SimCCLabel", "input_size": [8, 16], "sigma": 2.0}})");
  std::vector<DataSample> samples(2);
  TestOptions test;
  test.output_heatmaps = true;
  const auto predictions =
      made.head->predict({test::uniform({2, 4, 2, 4}, -1, 1, 1)}, nullptr, samples, test);
  ASSERT_EQ(predictions.size(), 2u);
  EXPECT_EQ(predictions[0].fields.at("heatmaps")[0].shape(), Shape({3, 32, 16}));
  EXPECT_EQ(predictions[0].instances.more.at("keypoint_x_labels")[0].shape(), Shape({1, 3, 16}));
  for (float v : predictions[0].fields.at("heatmaps")[0].span<float>()) {
    EXPECT_GE(v, 0);
    EXPECT_LE(v, 1);
  }
}

TEST(MspnHead, RefinesMapsWherePrmIsOn) {
  Made made(R"({"type": "MSPNHead", "num_stages": 1, "num_units": 2, "out_shape": [8, 6],
                "unit_channels": 4, "out_channels": 3, "use_prm": true})");
  EXPECT_NE(made.store.find("head.predict_layers.1.prm.middle_path.3.weight"), nullptr);
  EXPECT_NE(made.store.find("head.predict_layers.0.prm.bottom_path.1.depthwise_conv.bn.weight"),
            nullptr);
  const Tensor small = test::uniform({2, 2, 3, 4}, -1, 1, 1);
  const Outputs out = made.head->forward({small, test::uniform({2, 4, 6, 4}, -1, 1, 2)});
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[1].second.shape(), Shape({2, 3, 8, 6}));
  EXPECT_THROW(made.head->forward({small}), Error);
}

TEST(Heads, NameWhatIsMissing) {
  EXPECT_THROW(Made(R"({"type": "CPMHead", "in_channels": 4, "out_channels": 3, "num_stages": 2,
                        "loss": [{"type": "KeypointMSELoss"}]})"),
               InputError);
  EXPECT_THROW(Made(R"({"type": "SimCCHead", "in_channels": 4, "out_channels": 3,
                        "input_size": [8, 8], "in_featuremap_size": [2, 2],
                        "deconv_type": "hourglass"})"),
               InputError);
  Made regression(R"({"type": "RegressionHead", "in_channels": 4, "num_joints": 2})");
  const std::vector<DataSample> samples(1);
  const Features features{Tensor::zeros({1, 4})};
  EXPECT_THROW(regression.head->loss(features, samples), Error);
  EXPECT_THROW(regression.head->predict(features, nullptr, samples, {}), Error);
}

}  // namespace
}  // namespace limber
