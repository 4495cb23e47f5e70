#include "pose/core/factory.h"

#include "pose/heads/ae_head.h"
#include "pose/heads/cid_head.h"
#include "pose/heads/cpm_head.h"
#include "pose/heads/dekr_head.h"
#include "pose/heads/dsnt_head.h"
#include "pose/heads/edpose_head.h"
#include "pose/heads/heatmap_head.h"
#include "pose/heads/integral_head.h"
#include "pose/heads/internet_head.h"
#include "pose/heads/lifting_heads.h"
#include "pose/heads/mspn_head.h"
#include "pose/heads/regression_head.h"
#include "pose/heads/rle_head.h"
#include "pose/heads/rtmcc_head.h"
#include "pose/heads/rtmo_head.h"
#include "pose/heads/rtmw_head.h"
#include "pose/heads/simcc_head.h"
#include "pose/heads/vis_predict_head.h"
#include "pose/heads/yoloxpose_head.h"

namespace limber {
namespace {

using Make = std::unique_ptr<Head> (*)(const Config&, const Scope&);

constexpr FactoryRow<Make> kHeads[] = {
    {"AssociativeEmbeddingHead", make_ae_head},
    {"CIDHead", make_cid_head},
    {"CPMHead", make_cpm_head},
    {"DEKRHead", make_dekr_head},
    {"DSNTHead", make_dsnt_head},
    {"EDPoseHead", make_edpose_head},
    {"HeatmapHead", make_heatmap_head},
    {"IntegralRegressionHead", make_integral_head},
    {"InternetHead", make_internet_head},
    {"MSPNHead", make_mspn_head},
    {"MotionRegressionHead", make_motion_regression_head},
    {"RLEHead", make_rle_head},
    {"RTMCCHead", make_rtmcc_head},
    {"RTMOHead", make_rtmo_head},
    {"RTMW3DHead", make_rtmw3d_head},
    {"RTMWHead", make_rtmw_head},
    {"RegressionHead", make_regression_head},
    {"SimCCHead", make_simcc_head},
    {"TemporalRegressionHead", make_temporal_regression_head},
    {"TrajectoryRegressionHead", make_trajectory_regression_head},
    {"ViPNASHead", make_vipnas_head},
    {"VisPredictHead", make_vis_predict_head},
    {"YOLOXPoseHead", make_yoloxpose_head},
};

}  // namespace

std::unique_ptr<Head> make_head(const Config& config, const Scope& scope) {
  return make_by_type(kHeads, config, "head", scope);
}

}  // namespace limber
