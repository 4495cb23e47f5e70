#include "pose/estimators/legacy_config.h"

#include <gtest/gtest.h>

namespace limber {
namespace {

Config model_with(const char* head, const char* neck = "null") {
  return Config::parse(
      str(R"({"type": "TopdownPoseEstimator", "neck": )", neck, R"(, "head": )", head, "}"));
}

TEST(LegacyConfig, LeavesNewConfigsAlone) {
  const Config model = model_with(R"({"type": "HeatmapHead", "in_channels": 32})");
  EXPECT_EQ(updated_model(model).dump(), model.dump());
}

TEST(LegacyConfig, ConcatenationBecomesANeck) {
  const Config model = updated_model(model_with(
      R"({"type": "HeatmapHead", "in_channels": [18, 36, 72, 144], "input_index": [0, 1, 2, 3],
          "input_transform": "resize_concat", "align_corners": true})"));
  EXPECT_EQ(model.at("neck").get<std::string>("type"), "FeatureMapProcessor");
  EXPECT_TRUE(model.at("neck").get<bool>("concat"));
  EXPECT_TRUE(model.at("neck").get<bool>("align_corners"));
  EXPECT_EQ(model.at("neck").get<std::vector<int>>("select_index"), (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(model.at("head").get<int>("in_channels"), 270);
  EXPECT_EQ(model.at("head").keys(), (std::vector<std::string>{"type", "in_channels"}));
}

TEST(LegacyConfig, SelectionPicksTheWidth) {
  const Config model = updated_model(
      model_with(R"({"type": "HeatmapHead", "in_channels": [64, 128, 256], "input_index": -2})"));
  EXPECT_EQ(model.at("neck").get<std::vector<int>>("select_index"), std::vector<int>{-2});
  EXPECT_EQ(model.at("head").get<int>("in_channels"), 128);
}

TEST(LegacyConfig, ExtraBecomesFinalLayerAndUpsampling) {
  const Config model = updated_model(model_with(R"({"type": "HeatmapHead", "in_channels": 384,
                     "extra": {"upsample": 4, "final_conv_kernel": 3}})"));
  EXPECT_EQ(model.at("neck").get<double>("scale_factor"), 4);
  EXPECT_TRUE(model.at("neck").get<bool>("apply_relu"));
  EXPECT_EQ(model.at("head").at("final_layer").get<int>("kernel_size"), 3);
}

TEST(LegacyConfig, LayersThatAreSwitchedOffAreNull) {
  const Config model = updated_model(model_with(
      R"({"type": "HeatmapHead", "in_channels": 4, "has_final_layer": false,
          "num_deconv_layers": 0})"));
  EXPECT_TRUE(model.at("head").contains("final_layer"));
  EXPECT_FALSE(model.at("head").has("final_layer"));
  EXPECT_TRUE(model.at("head").contains("deconv_out_channels"));
  EXPECT_FALSE(model.at("head").has("deconv_out_channels"));
  EXPECT_FALSE(model.has("neck"));
}

TEST(LegacyConfig, RefusesWhatMakesNoSense) {
  EXPECT_THROW(updated_model(model_with(R"({"in_channels": 4, "input_transform": "stack"})")),
               InputError);
  EXPECT_THROW(updated_model(model_with(R"({"in_channels": [4, 8], "input_index": [0, 1]})")),
               InputError);
  EXPECT_THROW(updated_model(model_with(R"({"in_channels": [4, 8], "input_index": 2})")),
               InputError);
}

}  // namespace
}  // namespace limber
