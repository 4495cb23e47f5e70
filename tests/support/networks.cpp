#include "tests/support/networks.h"

#include "tests/support/tensors.h"

namespace limber::test {

const std::vector<NetworkCase>& network_cases() {
  static const std::vector<NetworkCase> cases = {
      {"AlexNet",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "AlexNet"}})",
       {1, 96, 96, 3}},
      {"VGG",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "VGG", "depth": 11, )"
       R"("norm_cfg": {"type": "BN"}}})",
       {1, 64, 48, 3}},
      {"ResNet",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "ResNet", "depth": )"
       R"(18}, "head": {"type": "HeatmapHead", "in_channels": 512, "out_channels": )"
       R"(5, "deconv_out_channels": [24, 20], "deconv_kernel_sizes": [4, 3], "loss": )"
       R"({"type": "KeypointMSELoss"}}})",
       {1, 64, 48, 3}},
      {"ResNetV1d",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "ResNetV1d", )"
       R"("depth": 50, "strides": [1, 2, 2, 1], "dilations": [1, 1, 1, 2], )"
       R"("out_indices": [0, 3]}})",
       {1, 64, 48, 3}},
      {"ResNeXt",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "ResNeXt", "depth": )"
       R"(50}})",
       {1, 64, 48, 3}},
      {"SEResNet",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "SEResNet", "depth": )"
       R"(50}})",
       {1, 64, 48, 3}},
      {"SEResNeXt",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "SEResNeXt", )"
       R"("depth": 50}})",
       {1, 64, 48, 3}},
      {"ResNeSt",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "ResNeSt", "depth": )"
       R"(50}})",
       {1, 64, 48, 3}},
      {"SCNet",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "SCNet", "depth": )"
       R"(50}})",
       {1, 128, 128, 3}},
      {"RegNet",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "RegNet", "arch": )"
       R"("regnetx_400mf"}})",
       {1, 64, 48, 3}},
      {"MobileNetV2",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "MobileNetV2", )"
       R"("widen_factor": 0.5, "out_indices": [3, 7]}})",
       {1, 64, 48, 3}},
      {"MobileNetV3",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "MobileNetV3", )"
       R"("arch": "small", "out_indices": [10]}})",
       {1, 64, 48, 3}},
      {"ShuffleNetV1",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "ShuffleNetV1", )"
       R"("groups": 3}})",
       {1, 64, 48, 3}},
      {"ShuffleNetV2",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "ShuffleNetV2", )"
       R"("widen_factor": 0.5}})",
       {1, 64, 48, 3}},
      {"ViPNAS_ResNet",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "ViPNAS_ResNet", )"
       R"("depth": 50}, "head": {"type": "ViPNASHead", "in_channels": 608, )"
       R"("out_channels": 5, "loss": {"type": "KeypointMSELoss"}}})",
       {1, 64, 48, 3}},
      {"ViPNAS_MobileNetV3",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": )"
       R"("ViPNAS_MobileNetV3"}})",
       {1, 64, 48, 3}},
      {"CPM",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "CPM", )"
       R"("in_channels": 3, "out_channels": 5, "feat_channels": 16, "num_stages": )"
       R"(3}, "head": {"type": "CPMHead", "in_channels": 5, "out_channels": 5, )"
       R"("num_stages": 3, "deconv_out_channels": null, "final_layer": null, "loss": )"
       R"({"type": "KeypointMSELoss"}}})",
       {1, 96, 96, 3}},
      {"Hourglass",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "HourglassNet", "num_stacks": 1}})",
       {1, 128, 128, 3}},
      {"HourglassAE",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "HourglassAENet", "num_stacks": 1, "out_channels": 6}})",
       {1, 128, 128, 3}},
      {"MSPN",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "MSPN", )"
       R"("num_blocks": [1, 1, 1, 1], "unit_channels": 32, "num_stages": 1, )"
       R"("num_units": 4, "norm_cfg": {"type": "BN"}}, "head": {"type": "MSPNHead", )"
       R"("out_shape": [16, 12], "unit_channels": 32, "num_stages": 1, "num_units": )"
       R"(4, "norm_cfg": {"type": "BN"}, "out_channels": 5, "use_prm": false, )"
       R"("level_indices": [0, 1, 2, 3]}})",
       {1, 64, 48, 3}},
      {"RSN",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "RSN", "num_blocks": )"
       R"([1, 1, 1, 1], "num_steps": 4, "unit_channels": 32, "num_stages": 1, )"
       R"("num_units": 4, "norm_cfg": {"type": "BN"}}, "head": {"type": "MSPNHead", )"
       R"("out_shape": [16, 12], "unit_channels": 32, "num_stages": 1, "num_units": )"
       R"(4, "norm_cfg": {"type": "BN"}, "out_channels": 5, "use_prm": true, )"
       R"("level_indices": [0, 1, 2, 3]}})",
       {1, 64, 48, 3}},
      {"HRNet",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "HRNet", "extra": )"
       R"({"stage1": {"num_modules": 1, "num_branches": 1, "block": "BOTTLENECK", )"
       R"("num_blocks": [1], "num_channels": [16]}, "stage2": {"num_modules": 1, )"
       R"("num_branches": 2, "block": "BASIC", "num_blocks": [1, 1], "num_channels": )"
       R"([8, 16]}, "stage3": {"num_modules": 1, "num_branches": 3, "block": )"
       R"("BASIC", "num_blocks": [1, 1, 1], "num_channels": [8, 16, 24]}, "stage4": )"
       R"({"num_modules": 1, "num_branches": 4, "block": "BASIC", "num_blocks": [1, )"
       R"(1, 1, 1], "num_channels": [8, 16, 24, 32], "multiscale_output": true}}}, )"
       R"("neck": {"type": "FeatureMapProcessor", "concat": true}, "head": {"type": )"
       R"("HeatmapHead", "in_channels": 80, "out_channels": 5, )"
       R"("deconv_out_channels": null, "conv_out_channels": [20], )"
       R"("conv_kernel_sizes": [1], "loss": {"type": "KeypointMSELoss"}}})",
       {1, 64, 64, 3}},
      {"CSPNeXt_RTMCC",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "CSPNeXt", "arch": )"
       R"("P5", "deepen_factor": 0.167, "widen_factor": 0.125, "out_indices": [4], )"
       R"("channel_attention": true, "norm_cfg": {"type": "SyncBN"}, "act_cfg": )"
       R"({"type": "SiLU"}}, "head": {"type": "RTMCCHead", "in_channels": 128, )"
       R"("out_channels": 5, "input_size": [48, 64], "in_featuremap_size": [2, 2], )"
       R"("simcc_split_ratio": 2.0, "final_layer_kernel_size": 3, "gau_cfg": )"
       R"({"hidden_dims": 32, "s": 16, "expansion_factor": 2, "dropout_rate": 0.0, )"
       R"("drop_path": 0.0, "act_fn": "SiLU", "use_rel_bias": false, "pos_enc": )"
       R"(false}, "loss": {"type": "KLDiscretLoss"}}})",
       {1, 64, 48, 3}},
      {"CSPNeXt_RTMCC_positions",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "CSPNeXt", "arch": )"
       R"("P5", "deepen_factor": 0.167, "widen_factor": 0.125, "out_indices": [4], )"
       R"("channel_attention": true, "norm_cfg": {"type": "SyncBN"}, "act_cfg": )"
       R"({"type": "SiLU"}}, "head": {"type": "RTMCCHead", "in_channels": 128, )"
       R"("out_channels": 5, "input_size": [48, 64], "in_featuremap_size": [2, 2], )"
       R"("simcc_split_ratio": 2.0, "final_layer_kernel_size": 3, "gau_cfg": )"
       R"({"hidden_dims": 32, "s": 16, "expansion_factor": 2, "dropout_rate": 0.0, )"
       R"("drop_path": 0.0, "act_fn": "SiLU", "use_rel_bias": true, "pos_enc": )"
       R"(true}, "loss": {"type": "KLDiscretLoss"}}})",
       {1, 64, 48, 3}},
      {"CSPNeXt_RTMW",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "CSPNeXt", "arch": )"
       R"("P5", "deepen_factor": 0.167, "widen_factor": 0.125, "out_indices": [2, 3, )"
       R"(4], "channel_attention": true, "norm_cfg": {"type": "SyncBN"}, "act_cfg": )"
       R"({"type": "SiLU"}}, "neck": {"type": "CSPNeXtPAFPN", "in_channels": [32, )"
       R"(64, 128], "out_channels": null, "out_indices": [1, 2], "num_csp_blocks": )"
       R"(1, "expand_ratio": 0.5, "norm_cfg": {"type": "SyncBN"}, "act_cfg": )"
       R"({"type": "SiLU", "inplace": true}}, "head": {"type": "RTMWHead", )"
       R"("in_channels": 128, "out_channels": 5, "input_size": [48, 64], )"
       R"("in_featuremap_size": [2, 2], "simcc_split_ratio": 2.0, )"
       R"("final_layer_kernel_size": 3, "gau_cfg": {"hidden_dims": 32, "s": 16, )"
       R"("expansion_factor": 2, "dropout_rate": 0.0, "drop_path": 0.0, "act_fn": )"
       R"("SiLU", "use_rel_bias": false, "pos_enc": false}, "loss": {"type": )"
       R"("KLDiscretLoss"}}})",
       {1, 64, 64, 3}},
      {"CSPDarknet",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "CSPDarknet", )"
       R"("deepen_factor": 0.33, "widen_factor": 0.125, "out_indices": [2, 3, 4], )"
       R"("norm_cfg": {"type": "BN"}, "act_cfg": {"type": "Swish"}}, "neck": )"
       R"({"type": "YOLOXPAFPN", "in_channels": [32, 64, 128], "out_channels": 24, )"
       R"("num_csp_blocks": 1, "norm_cfg": {"type": "BN"}, "act_cfg": {"type": )"
       R"("Swish"}}})",
       {1, 64, 64, 3}},
      {"VisionTransformer",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": )"
       R"("mmpretrain.VisionTransformer", "arch": {"embed_dims": 32, "num_layers": )"
       R"(2, "num_heads": 4, "feedforward_channels": 64}, "img_size": [64, 48], )"
       R"("patch_size": 16, "qkv_bias": true, "with_cls_token": false, "out_type": )"
       R"("featmap", "patch_cfg": {"padding": 2}}, "neck": {"type": )"
       R"("FeatureMapProcessor", "scale_factor": 4.0, "apply_relu": true}, "head": )"
       R"({"type": "HeatmapHead", "in_channels": 32, "out_channels": 5, )"
       R"("deconv_out_channels": [], "deconv_kernel_sizes": [], "loss": {"type": )"
       R"("KeypointMSELoss"}}})",
       {1, 64, 48, 3}},
      {"SimCC",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "ResNet", "depth": )"
       R"(18}, "head": {"type": "SimCCHead", "in_channels": 512, "out_channels": 5, )"
       R"("input_size": [48, 64], "in_featuremap_size": [2, 2], "simcc_split_ratio": )"
       R"(2.0, "deconv_out_channels": [24], "deconv_kernel_sizes": [4], )"
       R"("deconv_num_groups": [1], "loss": {"type": "KLDiscretLoss"}}})",
       {1, 64, 64, 3}},
      {"Regression",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "ResNet", "depth": )"
       R"(18}, "neck": {"type": "GlobalAveragePooling"}, "head": {"type": )"
       R"("RegressionHead", "in_channels": 512, "num_joints": 5, "loss": {"type": )"
       R"("SmoothL1Loss"}}})",
       {1, 64, 48, 3}},
      {"RLE",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "ResNet", "depth": )"
       R"(18}, "neck": {"type": "GlobalAveragePooling"}, "head": {"type": "RLEHead", )"
       R"("in_channels": 512, "num_joints": 5}})",
       {1, 64, 48, 3}},
      {"Integral",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "ResNet", "depth": )"
       R"(18}, "head": {"type": "IntegralRegressionHead", "in_channels": 512, )"
       R"("in_featuremap_size": [2, 2], "num_joints": 5, "debias": true, "beta": 2, )"
       R"("deconv_out_channels": [16], "deconv_kernel_sizes": [4], "loss": {"type": )"
       R"("SmoothL1Loss"}}})",
       {1, 64, 64, 3}},
      {"DSNT",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "ResNet", "depth": )"
       R"(18}, "head": {"type": "DSNTHead", "in_channels": 512, )"
       R"("in_featuremap_size": [2, 2], "num_joints": 5, "deconv_out_channels": )"
       R"([16], "deconv_kernel_sizes": [4]}})",
       {1, 64, 64, 3}},
      {"VisPredict",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "ResNet", "depth": )"
       R"(18}, "head": {"type": "VisPredictHead", "loss": {"type": "BCELoss", )"
       R"("use_sigmoid": true}, "pose_cfg": {"type": "HeatmapHead", "in_channels": )"
       R"(512, "out_channels": 5, "deconv_out_channels": [24, 20], )"
       R"("deconv_kernel_sizes": [4, 3], "loss": {"type": "KeypointMSELoss"}}}})",
       {1, 64, 48, 3}},
      {"ChannelMapper",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "ResNet", "depth": )"
       R"(18, "out_indices": [1, 2, 3]}, "neck": {"type": "ChannelMapper", )"
       R"("in_channels": [128, 256, 512], "kernel_size": 3, "out_channels": 24, )"
       R"("num_outs": 4, "act_cfg": {"type": "ReLU"}, "norm_cfg": {"type": "BN"}}})",
       {1, 64, 48, 3}},
      {"FPN",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "ResNet", "depth": )"
       R"(18, "out_indices": [1, 2, 3]}, "neck": {"type": "FPN", "in_channels": )"
       R"([128, 256, 512], "out_channels": 24, "num_outs": 4}})",
       {1, 64, 48, 3}},
      {"SwinTransformer",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "SwinTransformer", )"
       R"("pretrain_img_size": [48, 64], "embed_dims": 24, "depths": [2, 2, 2, 2], )"
       R"("num_heads": [1, 2, 3, 4], "window_size": 4, "use_abs_pos_embed": true, )"
       R"("patch_norm": true, "out_indices": [3]}})",
       {1, 64, 48, 3}},
      {"PVT",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": )"
       R"("PyramidVisionTransformer", "embed_dims": 8, "num_layers": [1, 1, 1, 1], )"
       R"("pretrain_img_size": 64}})",
       {1, 64, 64, 3}},
      {"PVTv2",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": )"
       R"("PyramidVisionTransformerV2", "embed_dims": 8, "num_layers": [1, 1, 1, 1], )"
       R"("out_indices": [3]}})",
       {1, 64, 48, 3}},
      {"HRFormer",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "HRFormer", )"
       R"("in_channels": 3, "norm_cfg": {"type": "SyncBN"}, "extra": )"
       R"({"drop_path_rate": 0.1, "with_rpe": true, "stage1": {"num_modules": 1, )"
       R"("num_branches": 1, "block": "BOTTLENECK", "num_blocks": [1], )"
       R"("num_channels": [16], "num_heads": [2], "num_mlp_ratios": [4]}, "stage2": )"
       R"({"num_modules": 1, "num_branches": 2, "block": "HRFORMERBLOCK", )"
       R"("num_blocks": [1, 1], "num_channels": [8, 16], "num_heads": [1, 2], )"
       R"("mlp_ratios": [4, 4], "window_sizes": [7, 7]}, "stage3": {"num_modules": )"
       R"(1, "num_branches": 3, "block": "HRFORMERBLOCK", "num_blocks": [1, 1, 1], )"
       R"("num_channels": [8, 16, 32], "num_heads": [1, 2, 4], "mlp_ratios": [4, 4, )"
       R"(4], "window_sizes": [7, 7, 7]}, "stage4": {"num_modules": 1, )"
       R"("num_branches": 4, "block": "HRFORMERBLOCK", "num_blocks": [1, 1, 1, 1], )"
       R"("num_channels": [8, 16, 32, 64], "num_heads": [1, 2, 4, 8], "mlp_ratios": )"
       R"([4, 4, 4, 4], "window_sizes": [7, 7, 7, 7]}}}})",
       {1, 64, 64, 3}},
      {"LiteHRNet",
       R"({"type": "TopdownPoseEstimator", "backbone": {"type": "LiteHRNet", )"
       R"("in_channels": 3, "extra": {"stem": {"stem_channels": 16, "out_channels": )"
       R"(16, "expand_ratio": 1}, "num_stages": 3, "stages_spec": {"num_modules": )"
       R"([1, 1, 1], "num_branches": [2, 3, 4], "num_blocks": [1, 2, 1], )"
       R"("module_type": ["LITE", "NAIVE", "LITE"], "with_fuse": [true, true, true], )"
       R"("reduce_ratios": [8, 8, 8], "num_channels": [[16, 32], [16, 32, 64], [16, )"
       R"(32, 64, 128]]}, "with_head": true}}})",
       {1, 64, 64, 3}},
      {"TCN",
       R"({"type": "PoseLifter", "backbone": {"type": "TCN", "in_channels": 34, )"
       R"("stem_channels": 16, "num_blocks": 2, "kernel_sizes": [3, 3, 3], )"
       R"("dropout": 0.25, "use_stride_conv": true}, "head": {"type": )"
       R"("TemporalRegressionHead", "in_channels": 16, "num_joints": 17, "loss": )"
       R"({"type": "MPJPELoss"}}, "traj_backbone": {"type": "TCN", "in_channels": )"
       R"(34, "stem_channels": 16, "num_blocks": 2, "kernel_sizes": [3, 3, 3], )"
       R"("dropout": 0.25, "use_stride_conv": false}, "traj_head": {"type": )"
       R"("TrajectoryRegressionHead", "in_channels": 16, "num_joints": 1, "loss": )"
       R"({"type": "MPJPELoss"}}})",
       {1, 34, 27}},
      {"DSTFormer",
       R"({"type": "PoseLifter", "backbone": {"type": "DSTFormer", "in_channels": 3, )"
       R"("feat_size": 32, "depth": 2, "num_heads": 4, "mlp_ratio": 2, "seq_len": 9, )"
       R"("att_fuse": true}, "head": {"type": "MotionRegressionHead", "in_channels": )"
       R"(32, "out_channels": 3, "embedding_size": 32, "loss": {"type": )"
       R"("MPJPEVelocityJointLoss"}}})",
       {1, 9, 17, 3}},
      {"DEKR",
       R"({"type": "BottomupPoseEstimator", "backbone": {"type": "HRNet", "extra": )"
       R"({"stage1": {"num_modules": 1, "num_branches": 1, "block": "BOTTLENECK", )"
       R"("num_blocks": [1], "num_channels": [16]}, "stage2": {"num_modules": 1, )"
       R"("num_branches": 2, "block": "BASIC", "num_blocks": [1, 1], "num_channels": )"
       R"([8, 16]}, "stage3": {"num_modules": 1, "num_branches": 3, "block": )"
       R"("BASIC", "num_blocks": [1, 1, 1], "num_channels": [8, 16, 24]}, "stage4": )"
       R"({"num_modules": 1, "num_branches": 4, "block": "BASIC", "num_blocks": [1, )"
       R"(1, 1, 1], "num_channels": [8, 16, 24, 32], "multiscale_output": true}}}, )"
       R"("neck": {"type": "FeatureMapProcessor", "concat": true}, "head": {"type": )"
       R"("DEKRHead", "in_channels": 80, "num_keypoints": 5, "num_heatmap_filters": )"
       R"(8, "heatmap_loss": {"type": )"
       R"("KeypointMSELoss", "use_target_weight": true}, "displacement_loss": )"
       R"({"type": "SoftWeightSmoothL1Loss", "use_target_weight": true}}})",
       {1, 64, 64, 3}},
  };
  return cases;
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
