#include "pose/core/factory.h"

#include "pose/heads/heatmap_head.h"

namespace limber {
namespace {

using Make = std::unique_ptr<Head> (*)(const Config&, const Scope&);

constexpr FactoryRow<Make> kHeads[] = {
    {"HeatmapHead", make_heatmap_head},
};

}  // namespace

std::unique_ptr<Head> make_head(const Config& config, const Scope& scope) {
  return make_by_type(kHeads, config, "head", scope);
}

}  // namespace limber
