// Every backbone learns: in twenty steps it tells four images apart. The readout is fixed, so only
// gradients that reach the backbone's own weights can lower the loss.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "autograd/autograd.h"
#include "nn/optim/optimizer.h"
#include "pose/backbones/backbone.h"
#include "tensor/ops.h"
#include "tests/support/learning.h"
#include "tests/support/tensors.h"

namespace limber {
namespace {

struct Row {
  const char* config;
  Shape input{4, 64, 64, 3};
  std::string type() const { return Config::parse(config).type(); }
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.type(); }

const std::vector<Row>& rows() {
  static const std::vector<Row> table{
      {R"({"type": "AlexNet"})"},
      {R"({"type": "CPM", "in_channels": 3, "out_channels": 4, "feat_channels": 8,
           "middle_channels": 8, "num_stages": 2})",
       {4, 16, 16, 3}},
      {R"({"type": "CSPDarknet", "deepen_factor": 0.33, "widen_factor": 0.125})"},
      {R"({"type": "CSPNeXt", "deepen_factor": 0.167, "widen_factor": 0.125})"},
      {R"({"type": "DSTFormer", "in_channels": 3, "feat_size": 16, "depth": 2, "num_heads": 2,
           "mlp_ratio": 2, "num_keypoints": 5, "seq_len": 4})",
       {4, 4, 5, 3}},
      {R"({"type": "HRFormer", "extra": {"drop_path_rate": 0, "with_rpe": true,
           "stage1": {"num_modules": 1, "num_branches": 1, "block": "BOTTLENECK",
                      "num_blocks": [1], "num_channels": [16], "num_heads": [2],
                      "num_mlp_ratios": [4]},
           "stage2": {"num_modules": 1, "num_branches": 2, "block": "HRFORMERBLOCK",
                      "num_blocks": [1, 1], "num_channels": [8, 16], "num_heads": [1, 2],
                      "mlp_ratios": [2, 2], "window_sizes": [7, 7]},
           "stage3": {"num_modules": 1, "num_branches": 3, "block": "HRFORMERBLOCK",
                      "num_blocks": [1, 1, 1], "num_channels": [8, 16, 32],
                      "num_heads": [1, 2, 4], "mlp_ratios": [2, 2, 2],
                      "window_sizes": [7, 7, 7]},
           "stage4": {"num_modules": 1, "num_branches": 4, "block": "HRFORMERBLOCK",
                      "num_blocks": [1, 1, 1, 1], "num_channels": [8, 16, 32, 64],
                      "num_heads": [1, 2, 4, 8], "mlp_ratios": [2, 2, 2, 2],
                      "window_sizes": [7, 7, 7, 7]}}})"},
      {R"({"type": "HRNet", "extra": {
           "stage1": {"num_modules": 1, "num_branches": 1, "block": "BOTTLENECK",
                      "num_blocks": [1], "num_channels": [16]},
           "stage2": {"num_modules": 1, "num_branches": 2, "block": "BASIC",
                      "num_blocks": [1, 1], "num_channels": [8, 16]},
           "stage3": {"num_modules": 1, "num_branches": 3, "block": "BASIC",
                      "num_blocks": [1, 1, 1], "num_channels": [8, 16, 32]},
           "stage4": {"num_modules": 1, "num_branches": 4, "block": "BASIC",
                      "num_blocks": [1, 1, 1, 1], "num_channels": [8, 16, 32, 64]}}})"},
      {R"({"type": "HourglassAENet", "downsample_times": 2, "out_channels": 8,
           "stage_channels": [16, 24, 32], "feat_channels": 16})",
       {4, 32, 32, 3}},
      {R"({"type": "HourglassNet", "downsample_times": 1, "num_stacks": 2,
           "stage_channels": [256, 16], "stage_blocks": [1, 1], "feat_channel": 16})",
       {4, 32, 32, 3}},
      {R"({"type": "LiteHRNet", "extra": {
           "stem": {"stem_channels": 16, "out_channels": 16, "expand_ratio": 1}, "num_stages": 2,
           "stages_spec": {"num_modules": [1, 1], "num_branches": [2, 3], "num_blocks": [1, 1],
                           "module_type": ["LITE", "NAIVE"], "with_fuse": [true, true],
                           "reduce_ratios": [8, 8], "num_channels": [[16, 32], [16, 32, 64]]},
           "with_head": true}})"},
      {R"({"type": "MSPN", "unit_channels": 16, "num_stages": 1, "num_blocks": [1, 1, 1, 1],
           "res_top_channels": 16})"},
      {R"({"type": "MobileNetV2", "widen_factor": 0.25})"},
      {R"({"type": "MobileNetV3"})"},
      {R"({"type": "PyramidVisionTransformer", "embed_dims": 8, "num_layers": [1, 1, 1, 1],
           "pretrain_img_size": 64, "drop_path_rate": 0})"},
      {R"({"type": "PyramidVisionTransformerV2", "embed_dims": 8, "num_layers": [1, 1, 1, 1],
           "drop_path_rate": 0})"},
      {R"({"type": "RSN", "unit_channels": 16, "num_stages": 1, "num_blocks": [1, 1, 1, 1],
           "res_top_channels": 16})"},
      {R"({"type": "RegNet", "arch": "regnetx_400mf"})"},
      {R"({"type": "ResNeSt", "depth": 50, "stem_channels": 16, "base_channels": 16})"},
      {R"({"type": "ResNeXt", "depth": 50, "stem_channels": 16, "base_channels": 16})"},
      {R"({"type": "ResNet", "depth": 18, "stem_channels": 16, "base_channels": 16})"},
      {R"({"type": "ResNetV1d", "depth": 18, "stem_channels": 16, "base_channels": 16})"},
      {R"({"type": "SCNet", "depth": 50, "stem_channels": 16, "base_channels": 16,
           "strides": [1, 1, 2, 2]})"},
      {R"({"type": "SEResNeXt", "depth": 50, "stem_channels": 16, "base_channels": 16})"},
      {R"({"type": "SEResNet", "depth": 50, "stem_channels": 16, "base_channels": 16})"},
      {R"({"type": "ShuffleNetV1"})"},
      {R"({"type": "ShuffleNetV2", "widen_factor": 0.5})"},
      {R"({"type": "SwinTransformer", "embed_dims": 12, "depths": [2, 2], "num_heads": [2, 4],
           "strides": [4, 2], "out_indices": [0, 1], "drop_path_rate": 0})"},
      {R"({"type": "TCN", "in_channels": 10, "stem_channels": 32, "kernel_sizes": [3, 3],
           "num_blocks": 1, "dropout": 0})",
       {4, 10, 9}},
      {R"({"type": "V2VNet", "input_channels": 2, "output_channels": 3, "mid_channels": 4})",
       {4, 8, 8, 8, 2}},
      {R"({"type": "VGG", "depth": 11, "norm_cfg": {"type": "BN"}})", {4, 32, 32, 3}},
      {R"({"type": "ViPNAS_MobileNetV3"})"},
      {R"({"type": "ViPNAS_ResNet", "depth": 50})"},
      {R"({"type": "VisionTransformer", "img_size": 64, "with_cls_token": false,
           "out_type": "featmap", "arch": {"embed_dims": 48, "num_layers": 3, "num_heads": 4,
                                           "feedforward_channels": 96}})"},
  };
  return table;
}

// Each map averaged over the image, and over its channels with fixed random signs, against +-1.
Tensor loss_of(const Features& maps) {
  const Tensor target = Tensor::from(std::vector<float>{1, -1, 1, -1}, {4, 1});
  Tensor total;
  for (size_t i = 0; i < maps.size(); ++i) {
    const Tensor& map = maps[i];
    const Tensor rows =
        reshape(map, {map.size(0), map.numel() / map.size(0) / map.size(-1), map.size(-1)});
    const Tensor signs = sign(test::uniform({map.size(-1), 1}, -1, 1, 17 + i));
    const Tensor seen = matmul(mean(rows, {1}), signs) / std::sqrt(double(map.size(-1)));
    const Tensor one = mean(square(seen - target));
    total = total.defined() ? total + one : one;
  }
  return total;
}

// Half of Polyak's step: as far as the loss would have to go to lose half of itself if it were
// linear. It suits every architecture without a learning rate of its own.
double polyak_scale(const Optimizer& optimizer, double loss) {
  double squares = 0;
  for (const Tensor& gradient : optimizer.gradients()) squares += sum(square(gradient)).item();
  return 0.5 * loss / squares;
}

class LearningBackbone : public testing::TestWithParam<Row> {};

TEST_P(LearningBackbone, LosesInTwentySteps) {
  const Row& row = GetParam();
  ParameterStore store{3};
  const auto backbone = make_backbone(Config::parse(row.config, "backbone"), Scope(store));
  store.train(true);
  const ParamGroup group = test::learning_group(store, 1);
  OptimizerOptions options = OptimizerOptions::defaults(OptimizerKind::sgd);
  options.lr = 1;
  Optimizer optimizer(options, {group});
  const Tensor images = test::uniform(row.input, -1, 1, 5);
  std::vector<double> losses;
  for (int step = 0; step < 20; ++step) {
    Tape tape;
    const Tensor loss = loss_of((*backbone)(images));
    losses.push_back(loss.item());
    tape.backward(loss);
    optimizer.step(polyak_scale(optimizer, losses.back()));
    optimizer.zero_grad();
  }
  EXPECT_LT(losses.back(), 0.5 * losses.front()) << testing::PrintToString(losses);
}

INSTANTIATE_TEST_SUITE_P(All, LearningBackbone, testing::ValuesIn(rows()),
                         [](const auto& row) { return row.param.type(); });

TEST(LearningBackbones, NoneIsLeftOut) {
  std::set<std::string> tested;
  for (const Row& row : rows()) tested.insert(row.type());
  for (const std::string& type : backbone_types())
    EXPECT_TRUE(tested.contains(type)) << type << " has no row in " << __FILE__;
}

}  // namespace
}  // namespace limber
