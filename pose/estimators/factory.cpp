#include "pose/core/factory.h"

#include "pose/estimators/bottomup.h"
#include "pose/estimators/dwpose_distiller.h"
#include "pose/estimators/legacy_config.h"
#include "pose/estimators/pose_lifter.h"
#include "pose/estimators/topdown.h"
#include "pose/estimators/topdown_3d.h"

namespace limber {
namespace {

using Make = std::unique_ptr<Estimator> (*)(const Config&, const Scope&);

constexpr FactoryRow<Make> kEstimators[] = {
    {"BottomupPoseEstimator", make_bottomup},
    {"DWPoseDistiller", make_dwpose_distiller},
    {"PoseLifter", make_pose_lifter},
    {"TopdownPoseEstimator", make_topdown},
    {"TopdownPoseEstimator3D", make_topdown_3d},
};

}  // namespace

void Estimator::predict_scales(std::span<const Tensor> inputs, Batch samples) const {
  check_input(inputs.size() == 1, "the images come at ", inputs.size(),
              " scales, the model takes one: see BottomupResize.aug_scales");
  predict(inputs[0], samples);
}

std::unique_ptr<Estimator> make_estimator(const Config& config, const Scope& root) {
  const Config model = updated_model(config);
  // Read by the trainer and the preprocessor, not by the network.
  for (const char* key : {"data_preprocessor", "train_cfg", "metainfo", "test_cfg"})
    model.find(key).ignore();
  return make_by_type(kEstimators, model, "estimator", root);
}

}  // namespace limber
