#include "tests/support/networks.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tests/support/tensors.h"

namespace limber::test {
namespace {

using nlohmann::json;

// `base` with the members of `changes` added or replaced, at any depth (RFC 7386).
std::string with(const std::string& base, const char* changes) {
  json merged = json::parse(base);
  merged.merge_patch(json::parse(changes));
  return merged.dump();
}

std::string topdown(const std::string& backbone, const std::string& neck = "",
                    const std::string& head = "") {
  std::string model = R"({"type": "TopdownPoseEstimator", "backbone": )" + backbone;
  if (!neck.empty()) model += R"(, "neck": )" + neck;
  if (!head.empty()) model += R"(, "head": )" + head;
  return model + "}";
}

// ---- parts that several models have

const char* const kResNet = R"({"type": "ResNet", "depth": 18})";
const char* const kResNetPyramid = R"({"type": "ResNet", "depth": 18, "out_indices": [1, 2, 3]})";
const char* const kAverage = R"({"type": "GlobalAveragePooling"})";
const char* const kHeatmapHead = R"({"type": "HeatmapHead", "in_channels": 512, "out_channels": 5,
    "deconv_out_channels": [24, 20], "deconv_kernel_sizes": [4, 3],
    "loss": {"type": "KeypointMSELoss"}})";

const char* const kHRNet = R"({"type": "HRNet", "extra": {
    "stage1": {"num_modules": 1, "num_branches": 1, "block": "BOTTLENECK",
               "num_blocks": [1], "num_channels": [16]},
    "stage2": {"num_modules": 1, "num_branches": 2, "block": "BASIC",
               "num_blocks": [1, 1], "num_channels": [8, 16]},
    "stage3": {"num_modules": 1, "num_branches": 3, "block": "BASIC",
               "num_blocks": [1, 1, 1], "num_channels": [8, 16, 24]},
    "stage4": {"num_modules": 1, "num_branches": 4, "block": "BASIC", "num_blocks": [1, 1, 1, 1],
               "num_channels": [8, 16, 24, 32], "multiscale_output": true}}})";
const char* const kConcat = R"({"type": "FeatureMapProcessor", "concat": true})";

const char* const kMSPN = R"({"type": "MSPN", "num_blocks": [1, 1, 1, 1], "unit_channels": 32,
    "num_stages": 1, "num_units": 4, "norm_cfg": {"type": "BN"}})";
const char* const kMSPNHead = R"({"type": "MSPNHead", "out_shape": [16, 12], "unit_channels": 32,
    "num_stages": 1, "num_units": 4, "norm_cfg": {"type": "BN"}, "out_channels": 5,
    "use_prm": false, "level_indices": [0, 1, 2, 3]})";

const char* const kCSPNeXt = R"({"type": "CSPNeXt", "arch": "P5", "deepen_factor": 0.167,
    "widen_factor": 0.125, "out_indices": [4], "channel_attention": true,
    "norm_cfg": {"type": "SyncBN"}, "act_cfg": {"type": "SiLU"}})";
const char* const kRTMCCHead = R"({"type": "RTMCCHead", "in_channels": 128, "out_channels": 5,
    "input_size": [48, 64], "in_featuremap_size": [2, 2], "simcc_split_ratio": 2.0,
    "final_layer_kernel_size": 3,
    "gau_cfg": {"hidden_dims": 32, "s": 16, "expansion_factor": 2, "dropout_rate": 0.0,
                "drop_path": 0.0, "act_fn": "SiLU", "use_rel_bias": false, "pos_enc": false},
    "loss": {"type": "KLDiscretLoss"}})";

const char* const kPyramid = R"({"type": "CSPNeXtPAFPN", "in_channels": [32, 64, 128],
    "out_channels": null, "out_indices": [1, 2], "num_csp_blocks": 1, "expand_ratio": 0.5,
    "norm_cfg": {"type": "SyncBN"}, "act_cfg": {"type": "SiLU", "inplace": true}})";

const char* const kTCN = R"({"type": "TCN", "in_channels": 34, "stem_channels": 16, "num_blocks": 2,
    "kernel_sizes": [3, 3, 3], "dropout": 0.25, "use_stride_conv": true})";

const Shape kTall{1, 64, 48, 3}, kSquare{1, 64, 64, 3}, kLarge{1, 128, 128, 3};

std::vector<NetworkCase> convolutional() {
  return {
      {"AlexNet", topdown(R"({"type": "AlexNet"})"), {1, 96, 96, 3}},
      {"VGG", topdown(R"({"type": "VGG", "depth": 11, "norm_cfg": {"type": "BN"}})"), kTall},
      {"ResNet", topdown(kResNet, "", kHeatmapHead), kTall},
      {"ResNetV1d", topdown(R"({"type": "ResNetV1d", "depth": 50, "strides": [1, 2, 2, 1],
          "dilations": [1, 1, 1, 2], "out_indices": [0, 3]})"),
       kTall},
      {"ResNeXt", topdown(R"({"type": "ResNeXt", "depth": 50})"), kTall},
      {"SEResNet", topdown(R"({"type": "SEResNet", "depth": 50})"), kTall},
      {"SEResNeXt", topdown(R"({"type": "SEResNeXt", "depth": 50})"), kTall},
      {"ResNeSt", topdown(R"({"type": "ResNeSt", "depth": 50})"), kTall},
      {"SCNet", topdown(R"({"type": "SCNet", "depth": 50})"), kLarge},
      {"RegNet", topdown(R"({"type": "RegNet", "arch": "regnetx_400mf"})"), kTall},
      {"MobileNetV2", topdown(R"({"type": "MobileNetV2", "widen_factor": 0.5,
          "out_indices": [3, 7]})"),
       kTall},
      {"MobileNetV3", topdown(R"({"type": "MobileNetV3", "arch": "small",
          "out_indices": [10]})"),
       kTall},
      {"ShuffleNetV1", topdown(R"({"type": "ShuffleNetV1", "groups": 3})"), kTall},
      {"ShuffleNetV2", topdown(R"({"type": "ShuffleNetV2", "widen_factor": 0.5})"), kTall},
      {"ViPNAS_ResNet",
       topdown(R"({"type": "ViPNAS_ResNet", "depth": 50})", "",
               R"({"type": "ViPNASHead", "in_channels": 608, "out_channels": 5,
          "loss": {"type": "KeypointMSELoss"}})"),
       kTall},
      {"ViPNAS_MobileNetV3", topdown(R"({"type": "ViPNAS_MobileNetV3"})"), kTall},
      {"CPM",
       topdown(R"({"type": "CPM", "in_channels": 3, "out_channels": 5,
          "feat_channels": 16, "num_stages": 3})",
               "",
               R"({"type": "CPMHead", "in_channels": 5, "out_channels": 5, "num_stages": 3,
          "deconv_out_channels": null, "final_layer": null,
          "loss": {"type": "KeypointMSELoss"}})"),
       {1, 96, 96, 3}},
      {"Hourglass", topdown(R"({"type": "HourglassNet", "num_stacks": 1})"), kLarge},
      {"HourglassAE", topdown(R"({"type": "HourglassAENet", "num_stacks": 1,
          "out_channels": 6})"),
       kLarge},
      {"MSPN", topdown(kMSPN, "", kMSPNHead), kTall},
      {"RSN",
       topdown(with(kMSPN, R"({"type": "RSN", "num_steps": 4})"), "",
               with(kMSPNHead, R"({"use_prm": true})")),
       kTall},
      {"HRNet", topdown(kHRNet, kConcat, R"({"type": "HeatmapHead", "in_channels": 80,
          "out_channels": 5, "deconv_out_channels": null, "conv_out_channels": [20],
          "conv_kernel_sizes": [1], "loss": {"type": "KeypointMSELoss"}})"),
       kSquare},
      {"CSPNeXt_RTMCC", topdown(kCSPNeXt, "", kRTMCCHead), kTall},
      {"CSPNeXt_RTMCC_positions",
       topdown(kCSPNeXt, "",
               with(kRTMCCHead, R"({"gau_cfg": {"use_rel_bias": true, "pos_enc": true}})")),
       kTall},
      {"CSPNeXt_RTMW",
       topdown(with(kCSPNeXt, R"({"out_indices": [2, 3, 4]})"), kPyramid,
               with(kRTMCCHead, R"({"type": "RTMWHead"})")),
       kSquare},
      {"CSPNeXt_RTMW3D",
       with(topdown(with(kCSPNeXt, R"({"out_indices": [2, 3, 4]})"), kPyramid,
                    with(kRTMCCHead, R"({"type": "RTMW3DHead", "input_size": [48, 64, 48],
          "loss": {"type": "KLDiscretLossWithWeight"}})")),
            R"({"type": "TopdownPoseEstimator3D"})"),
       kSquare},
      {"CSPDarknet",
       topdown(R"({"type": "CSPDarknet", "deepen_factor": 0.33,
          "widen_factor": 0.125, "out_indices": [2, 3, 4], "norm_cfg": {"type": "BN"},
          "act_cfg": {"type": "Swish"}})",
               R"({"type": "YOLOXPAFPN", "in_channels": [32, 64, 128], "out_channels": 24,
          "num_csp_blocks": 1, "norm_cfg": {"type": "BN"}, "act_cfg": {"type": "Swish"}})"),
       kSquare},
      {"LiteHRNet", topdown(R"({"type": "LiteHRNet", "in_channels": 3, "extra": {
          "stem": {"stem_channels": 16, "out_channels": 16, "expand_ratio": 1}, "num_stages": 3,
          "stages_spec": {"num_modules": [1, 1, 1], "num_branches": [2, 3, 4],
          "num_blocks": [1, 2, 1], "module_type": ["LITE", "NAIVE", "LITE"],
          "with_fuse": [true, true, true], "reduce_ratios": [8, 8, 8],
          "num_channels": [[16, 32], [16, 32, 64], [16, 32, 64, 128]]}, "with_head": true}})"),
       kSquare},
      {"DEKR",
       with(topdown(kHRNet, kConcat, R"({"type": "DEKRHead", "in_channels": 80,
          "num_keypoints": 5, "num_heatmap_filters": 8,
          "heatmap_loss": {"type": "KeypointMSELoss", "use_target_weight": true},
          "displacement_loss": {"type": "SoftWeightSmoothL1Loss",
          "use_target_weight": true}})"),
            R"({"type": "BottomupPoseEstimator"})"),
       kSquare},
  };
}

// Heads and necks behind a ResNet.
std::vector<NetworkCase> on_resnet() {
  return {
      {"SimCC", topdown(kResNet, "", R"({"type": "SimCCHead", "in_channels": 512,
          "out_channels": 5, "input_size": [48, 64], "in_featuremap_size": [2, 2],
          "simcc_split_ratio": 2.0, "deconv_out_channels": [24], "deconv_kernel_sizes": [4],
          "deconv_num_groups": [1], "loss": {"type": "KLDiscretLoss"}})"),
       kSquare},
      {"Regression", topdown(kResNet, kAverage, R"({"type": "RegressionHead",
          "in_channels": 512, "num_joints": 5, "loss": {"type": "SmoothL1Loss"}})"),
       kTall},
      {"RLE", topdown(kResNet, kAverage, R"({"type": "RLEHead", "in_channels": 512,
          "num_joints": 5})"),
       kTall},
      {"Integral", topdown(kResNet, "", R"({"type": "IntegralRegressionHead",
          "in_channels": 512, "in_featuremap_size": [2, 2], "num_joints": 5, "debias": true,
          "beta": 2, "deconv_out_channels": [16], "deconv_kernel_sizes": [4],
          "loss": {"type": "SmoothL1Loss"}})"),
       kSquare},
      {"DSNT", topdown(kResNet, "", R"({"type": "DSNTHead", "in_channels": 512,
          "in_featuremap_size": [2, 2], "num_joints": 5, "deconv_out_channels": [16],
          "deconv_kernel_sizes": [4]})"),
       kSquare},
      {"VisPredict",
       topdown(kResNet, "",
               std::string(R"({"type": "VisPredictHead",
          "loss": {"type": "BCELoss", "use_sigmoid": true}, "pose_cfg": )") +
                   kHeatmapHead + "}"),
       kTall},
      {"ChannelMapper", topdown(kResNetPyramid, R"({"type": "ChannelMapper",
          "in_channels": [128, 256, 512], "kernel_size": 3, "out_channels": 24, "num_outs": 4,
          "act_cfg": {"type": "ReLU"}, "norm_cfg": {"type": "BN"}})"),
       kTall},
      {"FPN", topdown(kResNetPyramid, R"({"type": "FPN", "in_channels": [128, 256, 512],
          "out_channels": 24, "num_outs": 4})"),
       kTall},
  };
}

std::vector<NetworkCase> transformers_and_lifters() {
  return {
      {"VisionTransformer",
       topdown(R"({"type": "mmpretrain.VisionTransformer",
          "arch": {"embed_dims": 32, "num_layers": 2, "num_heads": 4,
          "feedforward_channels": 64}, "img_size": [64, 48], "patch_size": 16, "qkv_bias": true,
          "with_cls_token": false, "out_type": "featmap", "patch_cfg": {"padding": 2}})",
               R"({"type": "FeatureMapProcessor", "scale_factor": 4.0, "apply_relu": true})",
               with(kHeatmapHead, R"({"in_channels": 32, "deconv_out_channels": [],
          "deconv_kernel_sizes": []})")),
       kTall},
      {"SwinTransformer", topdown(R"({"type": "SwinTransformer",
          "pretrain_img_size": [48, 64], "embed_dims": 24, "depths": [2, 2, 2, 2],
          "num_heads": [1, 2, 3, 4], "window_size": 4, "use_abs_pos_embed": true,
          "patch_norm": true, "out_indices": [3]})"),
       kTall},
      {"PVT", topdown(R"({"type": "PyramidVisionTransformer", "embed_dims": 8,
          "num_layers": [1, 1, 1, 1], "pretrain_img_size": 64})"),
       kSquare},
      {"PVTv2", topdown(R"({"type": "PyramidVisionTransformerV2", "embed_dims": 8,
          "num_layers": [1, 1, 1, 1], "out_indices": [3]})"),
       kTall},
      {"HRFormer", topdown(R"({"type": "HRFormer", "in_channels": 3,
          "norm_cfg": {"type": "SyncBN"}, "extra": {"drop_path_rate": 0.1, "with_rpe": true,
          "stage1": {"num_modules": 1, "num_branches": 1, "block": "BOTTLENECK",
          "num_blocks": [1], "num_channels": [16], "num_heads": [2], "num_mlp_ratios": [4]},
          "stage2": {"num_modules": 1, "num_branches": 2, "block": "HRFORMERBLOCK",
          "num_blocks": [1, 1], "num_channels": [8, 16], "num_heads": [1, 2],
          "mlp_ratios": [4, 4], "window_sizes": [7, 7]},
          "stage3": {"num_modules": 1, "num_branches": 3, "block": "HRFORMERBLOCK",
          "num_blocks": [1, 1, 1], "num_channels": [8, 16, 32], "num_heads": [1, 2, 4],
          "mlp_ratios": [4, 4, 4], "window_sizes": [7, 7, 7]},
          "stage4": {"num_modules": 1, "num_branches": 4, "block": "HRFORMERBLOCK",
          "num_blocks": [1, 1, 1, 1], "num_channels": [8, 16, 32, 64],
          "num_heads": [1, 2, 4, 8], "mlp_ratios": [4, 4, 4, 4],
          "window_sizes": [7, 7, 7, 7]}}})"),
       kSquare},
      {"TCN",
       std::string(R"({"type": "PoseLifter", "backbone": )") + kTCN +
           R"(, "head": {"type": "TemporalRegressionHead", "in_channels": 16, "num_joints": 17,
          "loss": {"type": "MPJPELoss"}}, "traj_backbone": )" +
           with(kTCN, R"({"use_stride_conv": false})") +
           R"(, "traj_head": {"type": "TrajectoryRegressionHead", "in_channels": 16,
          "num_joints": 1, "loss": {"type": "MPJPELoss"}}})",
       {1, 34, 27}},
      {"DSTFormer",
       R"({"type": "PoseLifter", "backbone": {"type": "DSTFormer",
          "in_channels": 3, "feat_size": 32, "depth": 2, "num_heads": 4, "mlp_ratio": 2,
          "seq_len": 9, "att_fuse": true}, "head": {"type": "MotionRegressionHead",
          "in_channels": 32, "out_channels": 3, "embedding_size": 32,
          "loss": {"type": "MPJPEVelocityJointLoss"}}})",
       {1, 9, 17, 3}},
  };
}

}  // namespace

const std::vector<NetworkCase>& network_cases() {
  static const std::vector<NetworkCase> cases = [] {
    std::vector<NetworkCase> all = convolutional();
    for (const auto& more : {on_resnet(), transformers_and_lifters()})
      all.insert(all.end(), more.begin(), more.end());
    return all;
  }();
  return cases;
}

const NetworkCase& network_case(const std::string& name) {
  for (const NetworkCase& row : network_cases())
    if (row.name == name) return row;
  throw std::runtime_error("no network " + name);
}

void stir(ParameterStore& store) {
  uint64_t seed = 100;
  for (const Parameter& p : store.all()) {
    Tensor value = p.value;
    ++seed;
    if (value.dtype() != DType::f32 || p.role == Role::constant) continue;
    if (p.name.ends_with("running_mean")) value.copy_from(uniform(value.shape(), -0.2, 0.2, seed));
    if (p.name.ends_with("running_var")) value.copy_from(uniform(value.shape(), 0.5, 2, seed));
    if (value.rank() == 1 && p.name.ends_with("weight"))
      value.copy_from(uniform(value.shape(), 0.6, 1.4, seed));
    if (p.name.ends_with("bias")) value.copy_from(uniform(value.shape(), -0.2, 0.2, seed));
  }
}

}  // namespace limber::test
