#include "pose/core/factory.h"

#include "pose/estimators/legacy_config.h"
#include "pose/estimators/topdown.h"

namespace limber {
namespace {

using Make = std::unique_ptr<Estimator> (*)(const Config&, const Scope&);

constexpr FactoryRow<Make> kEstimators[] = {
    {"TopdownPoseEstimator", make_topdown},
};

}  // namespace

std::unique_ptr<Estimator> make_estimator(const Config& config, const Scope& root) {
  const Config model = updated_model(config);
  // Read by the trainer and the preprocessor, not by the network.
  for (const char* key : {"data_preprocessor", "train_cfg", "metainfo", "test_cfg"})
    model.find(key).ignore();
  return make_by_type(kEstimators, model, "estimator", root);
}

}  // namespace limber
