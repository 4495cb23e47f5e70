#include "pose/core/factory.h"

#include "pose/backbones/cspnext.h"
#include "pose/backbones/hrnet.h"
#include "pose/backbones/resnet.h"

namespace limber {
namespace {

using Make = std::unique_ptr<Backbone> (*)(const Config&, const Scope&);

constexpr FactoryRow<Make> kBackbones[] = {
    {"CSPNeXt", make_cspnext},
    {"HRNet", make_hrnet},
    {"ResNet", make_resnet},
    {"ResNetV1d", make_resnet_v1d},
};

}  // namespace

std::unique_ptr<Backbone> make_backbone(const Config& config, const Scope& scope) {
  return make_by_type(kBackbones, config, "backbone", scope);
}

}  // namespace limber
