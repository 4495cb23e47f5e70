#include "pose/backbones/seresnet.h"

#include "nn/blocks/se_layer.h"
#include "pose/backbones/resnext.h"

namespace limber {
namespace {

std::unique_ptr<Backbone> make(const Config& config, const Scope& scope,
                               const GroupOptions& groups) {
  const int ratio = config.get("se_ratio", 16);
  return std::make_unique<ResNet>(
      scope, read_resnet(config), [groups, ratio](const Scope& s, const BlockOptions& o) {
        return gated_bottleneck(s, groups.apply(o), SeLayer(s / "se_layer", o.out, ratio));
      });
}

}  // namespace

std::unique_ptr<Backbone> make_seresnet(const Config& config, const Scope& scope) {
  return make(config, scope, {});
}

std::unique_ptr<Backbone> make_seresnext(const Config& config, const Scope& scope) {
  return make(config, scope, read_groups(config, 32));
}

}  // namespace limber
