#include "pose/backbones/resnext.h"

namespace limber {

BlockOptions GroupOptions::apply(BlockOptions o) const {
  if (groups == 1) return o;
  o.middle = groups * width_per_group * (o.out / o.expansion) / base_channels;
  o.groups = groups;
  return o;
}

GroupOptions read_groups(const Config& c, int default_groups) {
  return {.groups = c.get("groups", default_groups),
          .width_per_group = c.get("width_per_group", 4),
          .base_channels = c.get<int64_t>("base_channels", 64)};
}

std::unique_ptr<Backbone> make_resnext(const Config& config, const Scope& scope) {
  const GroupOptions groups = read_groups(config, 32);
  return std::make_unique<ResNet>(
      scope, read_resnet(config),
      [groups](const Scope& s, const BlockOptions& o) { return bottleneck(s, groups.apply(o)); });
}

}  // namespace limber
