#include "pose/core/factory.h"

#include "pose/losses/classification.h"
#include "pose/losses/distillation.h"
#include "pose/losses/divergence.h"
#include "pose/losses/embedding.h"
#include "pose/losses/focal_heatmap.h"
#include "pose/losses/lifting.h"
#include "pose/losses/mse.h"
#include "pose/losses/multiple.h"
#include "pose/losses/overlap.h"
#include "pose/losses/regression.h"
#include "pose/losses/rle.h"
#include "pose/losses/wing.h"

namespace limber {
namespace {

using Make = std::unique_ptr<Loss> (*)(const Config&, const Scope&);

constexpr FactoryRow<Make> kLosses[] = {
    {"AdaptiveWingLoss", make_adaptive_wing},
    {"AssociativeEmbeddingLoss", make_associative_embedding},
    {"BCELoss", make_bce},
    {"BoneLoss", make_bone},
    {"CombinedLoss", make_combined_losses},
    {"CombinedTargetMSELoss", make_combined_target_mse},
    {"FeaLoss", make_feature_distillation},
    {"FocalHeatmapLoss", make_focal_heatmap},
    {"InfoNCELoss", make_info_nce},
    {"IoULoss", make_iou},
    {"JSDiscretLoss", make_js_discret},
    {"KDLoss", make_logit_distillation},
    {"KLDiscretLoss", make_kl_discret},
    {"KLDiscretLoss2", make_kl_discret_by_axis},
    {"KLDiscretLossWithWeight", make_kl_discret_by_axis},
    {"KeypointMSELoss", make_keypoint_mse},
    {"KeypointOHKMMSELoss", make_keypoint_ohkm_mse},
    {"L1Loss", make_l1},
    {"MLECCLoss", make_mle_cc},
    {"MPJPELoss", make_mpjpe},
    {"MPJPEVelocityJointLoss", make_mpjpe_velocity_joint},
    {"MSELoss", make_mse},
    {"MultipleLossWrapper", make_multiple_losses},
    {"OKSLoss", make_oks},
    {"RLELoss", make_rle},
    {"SemiSupervisionLoss", make_semi_supervision},
    {"SmoothL1Loss", make_smooth_l1},
    {"SoftWeightSmoothL1Loss", make_soft_weight_smooth_l1},
    {"SoftWingLoss", make_soft_wing},
    {"VariFocalLoss", make_varifocal},
    {"WingLoss", make_wing},
};

}  // namespace

std::unique_ptr<Loss> make_loss(const Config& config, const Scope& scope) {
  return make_by_type(kLosses, config, "loss", scope);
}

}  // namespace limber
