// Heads of bottom-up and one-stage models, and one of points in space, small enough to train a step
// in a moment: configs of "head".
#pragma once

namespace limber::test {

inline constexpr char kDEKR[] = R"({"type": "DEKRHead", "in_channels": 6, "num_keypoints": 3,
  "num_heatmap_filters": 4, "num_displacement_filters_per_keypoint": 2,
  "decoder": {"type": "SPR", "input_size": [64, 48], "heatmap_size": [16, 12], "sigma": [4, 2],
              "generate_keypoint_heatmaps": true},
  "rescore_cfg": {"in_channels": 9, "norm_indexes": [0, 1]}})";
inline constexpr char kCID[] = R"({"type": "CIDHead", "in_channels": 6, "num_keypoints": 3,
  "gfd_channels": 4, "prior_prob": 0.4,
  "decoder": {"type": "DecoupledHeatmap", "input_size": [64, 48], "heatmap_size": [16, 12]}})";
inline constexpr char kYOLOX[] = R"({"type": "YOLOXPoseHead", "num_keypoints": 17,
  "featmap_strides": [8, 16],
  "head_module_cfg": {"num_classes": 1, "in_channels": 16, "feat_channels": 16, "widen_factor": 0.5,
                      "stacked_convs": 1},
  "prior_generator": {"type": "MlvlPointGenerator", "offset": 0, "strides": [8, 16]},
  "assigner": {"type": "SimOTAAssigner", "dynamic_k_indicator": "oks"},
  "overlaps_power": 0.5,
  "loss_cls": {"type": "BCELoss", "reduction": "sum"},
  "loss_obj": {"type": "BCELoss", "use_target_weight": true, "reduction": "sum"},
  "loss_bbox": {"type": "IoULoss", "mode": "square", "reduction": "sum", "loss_weight": 5.0},
  "loss_oks": {"type": "OKSLoss", "reduction": "none", "norm_target_weight": true,
               "loss_weight": 30.0},
  "loss_vis": {"type": "BCELoss", "use_target_weight": true},
  "loss_bbox_aux": {"type": "L1Loss", "reduction": "sum"},
  "loss_kpt_aux": {"type": "L1Loss", "use_target_weight": true, "reduction": "sum"}})";
inline constexpr char kRTMO[] =
    R"({"type": "RTMOHead", "num_keypoints": 17, "featmap_strides": [8, 16],
  "head_module_cfg": {"num_classes": 1, "in_channels": 16, "cls_feat_channels": 16,
                      "num_groups": 2, "channels_per_group": 8, "pose_vec_channels": 12,
                      "widen_factor": 0.5, "stacked_convs": 1},
  "prior_generator": {"type": "MlvlPointGenerator", "centralize_points": true, "strides": [8, 16]},
  "assigner": {"type": "SimOTAAssigner", "dynamic_k_indicator": "oks",
               "use_keypoints_for_center": true},
  "dcc_cfg": {"in_channels": 12, "feat_channels": 8, "num_bins": [12, 16], "spe_channels": 8,
              "gau_cfg": {"s": 8}},
  "overlaps_power": 0.5,
  "loss_cls": {"type": "VariFocalLoss", "reduction": "sum", "use_target_weight": true},
  "loss_bbox": {"type": "IoULoss", "mode": "square", "reduction": "sum", "loss_weight": 5.0},
  "loss_oks": {"type": "OKSLoss", "reduction": "none", "loss_weight": 30.0},
  "loss_vis": {"type": "BCELoss", "use_target_weight": true},
  "loss_mle": {"type": "MLECCLoss", "use_target_weight": true},
  "loss_bbox_aux": {"type": "L1Loss", "reduction": "sum"}})";
inline constexpr char kRTMW3D[] = R"({"type": "RTMW3DHead", "in_channels": 16,
  "out_channels": 5, "input_size": [64, 64, 48], "in_featuremap_size": [2, 2, 2],
  "gau_cfg": {"hidden_dims": 16, "s": 8},
  "loss": [{"type": "KLDiscretLossWithWeight", "beta": 10.0, "label_softmax": true},
           {"type": "BoneLoss", "joint_parents": [0, 0, 1, 1, 3], "use_target_weight": true,
            "loss_weight": 1e-6}],
  "decoder": {"type": "SimCC3DLabel", "input_size": [64, 64, 48], "normalize": false}})";
inline constexpr char kEDPose[] = R"({
  "type": "EDPoseHead", "num_queries": 12, "num_feature_levels": 2, "num_keypoints": 3,
  "as_two_stage": true, "refine_queries_num": 6,
  "encoder": {"num_layers": 1, "layer_cfg": {
    "self_attn_cfg": {"embed_dims": 16, "num_heads": 2, "num_levels": 2, "num_points": 2,
                      "dropout": 0.0},
    "ffn_cfg": {"embed_dims": 16, "feedforward_channels": 32}}},
  "decoder": {"num_layers": 3, "embed_dims": 16, "num_feature_levels": 2, "num_group": 4,
    "num_dn": 6, "num_box_decoder_layers": 2, "layer_cfg": {
      "self_attn_cfg": {"embed_dims": 16, "num_heads": 2},
      "cross_attn_cfg": {"embed_dims": 16, "num_heads": 2, "num_levels": 2, "num_points": 2,
                         "dropout": 0.0},
      "ffn_cfg": {"embed_dims": 16, "feedforward_channels": 32}}},
  "out_head": {"num_classes": 2, "num_pred_layer": 3},
  "positional_encoding": {"num_pos_feats": 8, "temperatureH": 20, "temperatureW": 20,
                          "normalize": true},
  "denosing_cfg": {"dn_box_noise_scale": 0.4, "dn_label_noise_ratio": 0.5, "dn_labelbook_size": 5,
                   "dn_attn_mask_type_list": ["match2dn", "dn2dn", "group2group"]},
  "loss": {"sigmas": [0.05, 0.05, 0.05]},
  "data_decoder": {"type": "EDPoseLabel", "num_select": 4, "num_keypoints": 3}})";

}  // namespace limber::test
