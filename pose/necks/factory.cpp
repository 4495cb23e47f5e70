#include "pose/core/factory.h"

#include "pose/necks/simple.h"

namespace limber {
namespace {

using Make = std::unique_ptr<Neck> (*)(const Config&, const Scope&);

constexpr FactoryRow<Make> kNecks[] = {
    {"FeatureMapProcessor", make_feature_map_processor},
    {"GlobalAveragePooling", make_global_average_pooling},
};

}  // namespace

std::unique_ptr<Neck> make_neck(const Config& config, const Scope& scope) {
  return make_by_type(kNecks, config, "neck", scope);
}

}  // namespace limber
