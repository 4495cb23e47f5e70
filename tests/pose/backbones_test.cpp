// What the parity cases of backbones and necks leave out: several stacks, extra levels, frozen
// stages, indices from the end, classifiers, errors.
#include "pose/backbones/backbone.h"

#include <gtest/gtest.h>

#include "nn/blocks/channel_shuffle.h"
#include "pose/backbones/classifier.h"
#include "pose/necks/neck.h"
#include "tensor/op.h"
#include "tests/support/tensors.h"

namespace limber {
namespace {

struct Made {
  ParameterStore store{1};
  std::unique_ptr<Backbone> backbone;
  explicit Made(const char* json)
      : backbone(make_backbone(Config::parse(json, "backbone"), Scope(store) / "backbone")) {}
  Features operator()(const Shape& image) const {
    const NoRecord no_record;
    return (*backbone)(test::uniform(image, -1, 1, 1));
  }
};

Features run_neck(const char* json, const Features& maps) {
  const NoRecord no_record;
  ParameterStore store{1};
  return (*make_neck(Config::parse(json, "neck"), Scope(store) / "neck"))(maps);
}

std::string error_of(const char* json) {
  try {
    Made made(json);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(HourglassNet, FeedsEachStackWithTheOneBefore) {
  Made made(R"({"type": "HourglassNet", "downsample_times": 1, "num_stacks": 2,
                "stage_channels": [256, 16], "stage_blocks": [1, 1], "feat_channel": 8})");
  const Features maps = made({1, 16, 24, 3});
  ASSERT_EQ(maps.size(), 2u);
  for (const Tensor& map : maps) EXPECT_EQ(map.shape(), (Shape{1, 4, 6, 8}));
  for (const char* name : {"conv1x1s.0.conv", "remap_convs.0.conv", "inters.0.conv1"})
    EXPECT_NE(made.store.find(std::string("backbone.") + name + ".weight"), nullptr) << name;
  EXPECT_EQ(made.store.find("backbone.inters.1.conv1.weight"), nullptr);
}

TEST(MobileNetV3, CountsIndicesFromTheEnd) {
  const Features maps =
      Made(R"({"type": "MobileNetV3", "arch": "big", "out_indices": [0, -1]})")({1, 32, 32, 3});
  ASSERT_EQ(maps.size(), 2u);
  EXPECT_EQ(maps[0].shape(), (Shape{1, 16, 16, 16}));
  EXPECT_EQ(maps[1].shape(), (Shape{1, 1, 1, 160}));
}

TEST(MobileNetV2, HoldsFrozenStages) {
  Made made(R"({"type": "MobileNetV2", "frozen_stages": 1})");
  made.store.train(true);
  const auto trainable = [&](const char* name) { return made.store.at(name).trainable; };
  EXPECT_FALSE(trainable("backbone.conv1.conv.weight"));
  EXPECT_FALSE(trainable("backbone.layer1.0.conv.0.conv.weight"));
  EXPECT_TRUE(trainable("backbone.layer2.0.conv.0.conv.weight"));
  const Tensor held = made.store.at("backbone.layer1.0.conv.0.bn.running_mean").value;
  const Tensor stem = made.store.at("backbone.conv1.bn.running_mean").value;
  made({2, 32, 32, 3});
  EXPECT_EQ(sum(abs(held)).item(), 0);
  EXPECT_GT(sum(abs(stem)).item(), 0);
}

TEST(SwinTransformer, HoldsFrozenStagesAndTheirNorms) {
  Made made(R"({"type": "SwinTransformer", "embed_dims": 6, "depths": [1, 1], "num_heads": [1, 2],
                "strides": [4, 2], "out_indices": [0, 1], "frozen_stages": 1,
                "use_abs_pos_embed": true, "pretrain_img_size": 16})");
  const auto trainable = [&](const char* name) {
    return made.store.at(std::string("backbone.") + name).trainable;
  };
  for (const char* name :
       {"patch_embed.projection.weight", "absolute_pos_embed", "norm0.weight",
        "stages.0.blocks.0.attn.w_msa.qkv.weight", "stages.0.downsample.reduction.weight"})
    EXPECT_FALSE(trainable(name)) << name;
  EXPECT_TRUE(trainable("norm1.weight"));
  EXPECT_TRUE(trainable("stages.1.blocks.0.ffn.layers.1.weight"));
  const Features maps = made({1, 16, 16, 3});
  ASSERT_EQ(maps.size(), 2u);
  EXPECT_EQ(maps[1].shape(), (Shape{1, 2, 2, 12}));
  EXPECT_THROW(made({1, 32, 16, 3}), Error);  // its positions are learned for one size
}

TEST(PyramidVisionTransformer, ResizesItsPositions) {
  Made made(R"({"type": "PyramidVisionTransformer", "embed_dims": 4, "num_layers": [1, 1, 1, 1],
                "pretrain_img_size": 64, "out_indices": [0, 3]})");
  const Features maps = made({2, 96, 64, 3});
  ASSERT_EQ(maps.size(), 2u);
  EXPECT_EQ(maps[0].shape(), (Shape{2, 24, 16, 4}));
  EXPECT_EQ(maps[1].shape(), (Shape{2, 3, 2, 32}));
  EXPECT_EQ(made.store.at("backbone.layers.0.1.0.pos_embed").stored_shape, (Shape{1, 256, 4}));
}

TEST(Classifier, TakesChannelsBeforeRowsAndColumns) {
  ParameterStore store{1};
  const Classifier classifier(Scope(store), {{0, 6, 2, false}});
  const Tensor map = test::uniform({1, 1, 3, 2}, -1, 1, 2);  // (N, H, W, C)
  const float* x = map.data<float>();
  const float* w = store.at("0.weight").value.data<float>();
  const float* b = store.at("0.bias").value.data<float>();
  const Tensor got = classifier(map);
  for (int o = 0; o < 2; ++o) {
    float expected = b[o];
    for (int c = 0; c < 2; ++c)
      for (int i = 0; i < 3; ++i) expected += w[o * 6 + c * 3 + i] * x[i * 2 + c];
    EXPECT_NEAR(got.data<float>()[o], expected, 1e-6);
  }
}

TEST(ChannelShuffle, DealsOutTheChannelsOfEachGroup) {
  const std::vector<float> channels{0, 1, 2, 3, 4, 5}, dealt{0, 3, 1, 4, 2, 5};
  const Tensor got = channel_shuffle(Tensor::from(channels, {1, 1, 1, 6}), 2);
  EXPECT_EQ(std::vector<float>(got.data<float>(), got.data<float>() + 6), dealt);
}

TEST(Backbones, RefuseWhatTheyHaveNot) {
  EXPECT_NE(error_of(R"({"type": "SEResNet", "depth": 18})").find("50 and more"),
            std::string::npos);
  EXPECT_NE(error_of(R"({"type": "ShuffleNetV1", "groups": 5})").find("1, 2, 3, 4, 8"),
            std::string::npos);
  EXPECT_NE(error_of(R"({"type": "RegNet", "arch": "regnetx_1.5gf"})").find("regnetx_1.6gf"),
            std::string::npos);
  EXPECT_NE(error_of(R"({"type": "SwinTransformer", "num_heads": [3, 6]})").find("num_heads"),
            std::string::npos);
  EXPECT_NE(error_of(R"({"type": "SwinTransformer", "strides": [2, 2, 2, 2]})").find("strides"),
            std::string::npos);
  EXPECT_NE(error_of(R"({"type": "PyramidVisionTransformer", "num_layers": [1]})").find("stages"),
            std::string::npos);
  EXPECT_NE(error_of(R"({"type": "PyramidVisionTransformerV2", "use_conv_ffn": false})")
                .find("use_conv_ffn: unknown key"),
            std::string::npos);
  EXPECT_NE(error_of(R"({"type": "MSPN", "num_units": 3})").find("num_blocks"), std::string::npos);
}

TEST(Fpn, AddsLevelsByPoolingOrConvolution) {
  const Features maps{test::uniform({1, 8, 6, 4}, -1, 1, 1), test::uniform({1, 4, 3, 6}, -1, 1, 2)};
  const Features pooled =
      run_neck(R"({"type": "FPN", "in_channels": [4, 6], "out_channels": 5, "num_outs": 3})", maps);
  ASSERT_EQ(pooled.size(), 3u);
  EXPECT_EQ(pooled[0].shape(), (Shape{1, 8, 6, 5}));
  EXPECT_EQ(pooled[2].shape(), (Shape{1, 2, 2, 5}));
  const Tensor every_second = slice(slice(pooled[1], 1, 0, 4, 2), 2, 0, 3, 2);
  EXPECT_EQ(sum(abs(pooled[2] - every_second)).item(), 0);
  for (const char* source : {"on_input", "on_lateral", "on_output"}) {
    const std::string json = std::string(R"({"type": "FPN", "in_channels": [4, 6], )") +
                             R"("out_channels": 5, "num_outs": 4, "add_extra_convs": ")" + source +
                             "\"}";
    const Features levels = run_neck(json.c_str(), maps);
    ASSERT_EQ(levels.size(), 4u) << source;
    EXPECT_EQ(levels[3].shape(), (Shape{1, 1, 1, 5})) << source;
    // The levels that the backbone has do not depend on where the others come from.
    EXPECT_EQ(sum(abs(levels[1] - pooled[1])).item(), 0) << source;
  }
}

TEST(CspNextPafpn, BringsAllMapsToOneWidth) {
  const Features maps{test::uniform({1, 8, 8, 4}, -1, 1, 1), test::uniform({1, 4, 4, 6}, -1, 1, 2)};
  const Features out = run_neck(R"({"type": "CSPNeXtPAFPN", "in_channels": [4, 6],
      "out_channels": 10, "num_csp_blocks": 1, "out_indices": [1, 0]})",
                                maps);
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0].shape(), (Shape{1, 4, 4, 10}));
  EXPECT_EQ(out[1].shape(), (Shape{1, 8, 8, 10}));
}

}  // namespace
}  // namespace limber
