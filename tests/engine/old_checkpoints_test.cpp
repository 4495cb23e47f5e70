// Weights under older or foreign names: MMPose before 1.0, and the authors' own projects.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "nn/layers.h"
#include "pose/engine/checkpoint_names.h"
#include "pose/engine/pretrained.h"
#include "tests/support/temp_folder.h"

namespace limber {
namespace {

// Numbers 0, 1, 2, ... of a shape.
Tensor counting(const Shape& shape) {
  Tensor t = Tensor::empty(shape);
  for (int64_t i = 0; i < t.numel(); ++i) t.data<float>()[i] = float(i);
  return t;
}

struct Known {
  ParameterStore store{1};
  explicit Known(std::initializer_list<const char*> layers) {
    for (const char* name : layers) {
      const std::string path = name;
      Scope scope(store);
      for (size_t at = 0; at < path.size();) {
        const size_t dot = std::min(path.find('.', at), path.size());
        scope = scope / path.substr(at, dot - at);
        at = dot + 1;
      }
      Linear(scope, 2, 3, true);
    }
  }
};

std::vector<std::string> names(const StateDict& weights) {
  std::vector<std::string> out;
  for (const NamedTensor& t : weights) out.push_back(t.name);
  return out;
}

StateDict weights_named(std::initializer_list<const char*> list) {
  StateDict out;
  for (const char* name : list) out.push_back({name, counting({3, 2})});
  return out;
}

using Names = std::vector<std::string>;

TEST(OldCheckpoints, HeatmapHeads) {
  const Known net{"head.conv_layers.0", "head.final_layer", "head.deconv_layers.0"};
  EXPECT_EQ(
      names(upgraded(
          weights_named({"keypoint_head.final_layer.0.weight", "keypoint_head.final_layer.3.weight",
                         "keypoint_head.deconv_layers.0.weight", "data_preprocessor.mean"}),
          net.store)),
      (Names{"head.conv_layers.0.weight", "head.final_layer.weight",
             "head.deconv_layers.0.weight"}));
  EXPECT_EQ(names(upgraded(weights_named({"head.final_layer.weight", "head.stranger.weight"}),
                           net.store)),
            (Names{"head.final_layer.weight", "head.stranger.weight"}));
}

TEST(OldCheckpoints, OtherHeads) {
  const Known net{"head.loss_module.flow", "head.simplebaseline_head.final_layer",
                  "head.gfd_module.conv_down", "head.iia_module.keypoint_root_conv"};
  EXPECT_EQ(names(upgraded(
                weights_named({"keypoint_head.loss.flow.weight", "head.final_layer.weight",
                               "keypoint_head.conv_down.bias", "head.keypoint_center_conv.bias"}),
                net.store)),
            (Names{"head.loss_module.flow.weight", "head.simplebaseline_head.final_layer.weight",
                   "head.gfd_module.conv_down.bias", "head.iia_module.keypoint_root_conv.bias"}));
}

TEST(OldCheckpoints, DekrTurnsDisplacementsAndMovesTheRoot) {
  const Known net{"head.displacement_conv_layers.3", "head.heatmap_conv_layers.2",
                  "head.rescore_net.l1"};
  const StateDict old = upgraded(
      weights_named({"keypoint_head.offset_conv_layers.3.weight",
                     "keypoint_head.heatmap_conv_layers.2.weight", "rescore_net.l1.weight"}),
      net.store);
  EXPECT_EQ(names(old), (Names{"head.displacement_conv_layers.3.weight",
                               "head.heatmap_conv_layers.2.weight", "head.rescore_net.l1.weight"}));
  EXPECT_EQ(old[0].value.data<float>()[5], -5);
  EXPECT_EQ(old[1].value.data<float>()[0], 2);
  EXPECT_EQ(old[1].value.data<float>()[5], 1);
  const StateDict now = upgraded(weights_named({"head.displacement_conv_layers.3.weight",
                                                "head.heatmap_conv_layers.2.weight"}),
                                 net.store);
  EXPECT_EQ(now[0].value.data<float>()[5], 5);
  EXPECT_EQ(now[1].value.data<float>()[0], 0);
}

TEST(Pretrained, AddressesAreLookedForWherePyTorchKeepsThem) {
  const TempFolder folder;
  std::filesystem::create_directories(folder.path("hub/checkpoints"));
  setenv("TORCH_HOME", folder.path("").c_str(), 1);
  try {
    read_pretrained("torchvision://resnet50");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("torchvision://resnet50: nothing is downloaded"),
              std::string::npos)
        << error.what();
  }
  ParameterStore store{1};
  Linear(Scope(store) / "backbone" / "fc", 2, 3, true);
  Linear(Scope(store) / "head", 2, 3, true);
  save_weights(store, folder.path("hub/checkpoints/resnet50-0123abcd.pth"));
  save_weights(store, folder.path("hub/checkpoints/resnet50_v1d.pth"));
  EXPECT_EQ(names(read_pretrained("torchvision://resnet50")),
            (Names{"backbone.fc.weight", "backbone.fc.bias", "head.weight", "head.bias"}));
  EXPECT_EQ(names(read_pretrained("mmcls://resnet50_v1d")), (Names{"fc.weight", "fc.bias"}));
  EXPECT_EQ(names(read_pretrained("https://somewhere/x/resnet50_v1d.pth")).size(), 4u);
  unsetenv("TORCH_HOME");
}

TEST(Pretrained, MspnTakesAResNet) {
  Known net{"backbone.multi_stage_mspn.0.downsample.layer1.0.conv1",
            "backbone.multi_stage_mspn.1.downsample.layer1.0.conv1"};
  const StateDict got = converted_for(
      Config::parse(R"({"type":"MSPN"})"),
      weights_named({"conv1.weight", "bn1.bias", "layer1.0.downsample.0.weight", "fc.weight"}),
      Scope(net.store) / "backbone");
  EXPECT_EQ(names(got), (Names{"multi_stage_mspn.0.downsample.layer1.0.downsample.conv.weight",
                               "multi_stage_mspn.1.downsample.layer1.0.downsample.conv.weight",
                               "top.top.0.conv.weight", "top.top.0.bn.bias"}));
}

TEST(Pretrained, SwinAuthorsOrderOfMergedPatches) {
  ParameterStore store{1};
  StateDict given;
  given.push_back({"layers.0.downsample.reduction.weight", counting({1, 8})});
  given.push_back({"layers.0.downsample.norm.weight", counting({8})});
  given.push_back({"layers.0.blocks.1.mlp.fc1.bias", counting({2})});
  given.push_back({"head.weight", counting({2})});
  const StateDict got = converted_for(
      Config::parse(R"({"type":"SwinTransformer","convert_weights":true})"), given, Scope(store));
  ASSERT_EQ(names(got),
            (Names{"stages.0.downsample.reduction.weight", "stages.0.downsample.norm.weight",
                   "stages.0.blocks.1.ffn.layers.0.0.bias"}));
  // Neighbours (0,0), (1,0), (0,1), (1,1) with channels {0,1} {2,3} {4,5} {6,7} become
  // channel-major in the order (0,0), (0,1), (1,0), (1,1).
  const float order[] = {0, 4, 2, 6, 1, 5, 3, 7};
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(got[0].value.data<float>()[i], order[i]) << i;
    EXPECT_EQ(got[1].value.data<float>()[i], order[i]) << i;
  }
}

TEST(Pretrained, PvtAuthorsQueryKeyAndValueBecomeOne) {
  ParameterStore store{1};
  StateDict given;
  given.push_back({"pos_embed1", counting({1, 4, 2})});
  given.push_back({"patch_embed1.proj.weight", counting({2, 2})});
  given.push_back({"block1.0.attn.q.weight", counting({2, 2})});
  given.push_back({"block1.0.attn.kv.weight", counting({4, 2})});
  given.push_back({"block2.1.mlp.fc2.weight", counting({2, 3})});
  given.push_back({"norm.weight", counting({2})});
  const StateDict got =
      converted_for(Config::parse(R"({"type":"PyramidVisionTransformer"})"), given, Scope(store));
  ASSERT_EQ(names(got),
            (Names{"layers.0.1.0.pos_embed", "layers.0.0.projection.weight",
                   "layers.0.1.1.attn.attn.in_proj_weight", "layers.1.1.2.ffn.layers.3.weight"}));
  EXPECT_EQ(got[2].value.shape(), (Shape{6, 2}));
  EXPECT_EQ(got[3].value.shape(), (Shape{2, 3, 1, 1}));
}

}  // namespace
}  // namespace limber
