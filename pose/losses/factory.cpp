#include "pose/core/factory.h"

#include "pose/losses/mse.h"

namespace limber {
namespace {

using Make = std::unique_ptr<Loss> (*)(const Config&, const Scope&);

constexpr FactoryRow<Make> kLosses[] = {
    {"KeypointMSELoss", make_keypoint_mse},
};

}  // namespace

std::unique_ptr<Loss> make_loss(const Config& config, const Scope& scope) {
  return make_by_type(kLosses, config, "loss", scope);
}

}  // namespace limber
