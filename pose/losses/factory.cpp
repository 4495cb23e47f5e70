#include "pose/core/factory.h"

#include "pose/losses/classification.h"
#include "pose/losses/divergence.h"
#include "pose/losses/mse.h"
#include "pose/losses/multiple.h"
#include "pose/losses/regression.h"
#include "pose/losses/rle.h"

namespace limber {
namespace {

using Make = std::unique_ptr<Loss> (*)(const Config&, const Scope&);

constexpr FactoryRow<Make> kLosses[] = {
    {"BCELoss", make_bce},
    {"CombinedTargetMSELoss", make_combined_target_mse},
    {"JSDiscretLoss", make_js_discret},
    {"KLDiscretLoss", make_kl_discret},
    {"KeypointMSELoss", make_keypoint_mse},
    {"KeypointOHKMMSELoss", make_keypoint_ohkm_mse},
    {"MultipleLossWrapper", make_multiple_losses},
    {"RLELoss", make_rle},
    {"SmoothL1Loss", make_smooth_l1},
};

}  // namespace

std::unique_ptr<Loss> make_loss(const Config& config, const Scope& scope) {
  return make_by_type(kLosses, config, "loss", scope);
}

}  // namespace limber
