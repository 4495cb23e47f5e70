#include "pose/core/factory.h"

#include "pose/backbones/cspnext.h"
#include "pose/backbones/hrnet.h"
#include "pose/backbones/regnet.h"
#include "pose/backbones/resnest.h"
#include "pose/backbones/resnet.h"
#include "pose/backbones/resnext.h"
#include "pose/backbones/scnet.h"
#include "pose/backbones/seresnet.h"

namespace limber {
namespace {

using Make = std::unique_ptr<Backbone> (*)(const Config&, const Scope&);

constexpr FactoryRow<Make> kBackbones[] = {
    {"CSPNeXt", make_cspnext},      {"HRNet", make_hrnet},     {"RegNet", make_regnet},
    {"ResNeSt", make_resnest},      {"ResNeXt", make_resnext}, {"ResNet", make_resnet},
    {"ResNetV1d", make_resnet_v1d}, {"SCNet", make_scnet},     {"SEResNeXt", make_seresnext},
    {"SEResNet", make_seresnet},
};

}  // namespace

std::unique_ptr<Backbone> make_backbone(const Config& config, const Scope& scope) {
  return make_by_type(kBackbones, config, "backbone", scope);
}

}  // namespace limber
