#include "pose/estimators/topdown_3d.h"

#include <algorithm>

#include "pose/codecs/codec_support.h"
#include "pose/estimators/topdown.h"
#include "tensor/ops.h"

namespace limber {
namespace {

// The first numbers of (..., D).
Tensor leading(const Tensor& points, int64_t count) { return slice(points, -1, 0, count).clone(); }

// The sample's camera, or the one that MMPose assumes: focal lengths of Human3.6M, and as the
// centre half the picture's height and width, in this order. x and y are meant, but numbers depend
// on it.
Pinhole camera_of(const DataSample& sample) {
  const TensorLists& more = sample.gt_instances.more;
  const auto focal = more.find("camera_param/f"), center = more.find("camera_param/c");
  check((focal == more.end()) == (center == more.end()),
        "TopdownPoseEstimator3D: camera_param f and c go together");
  if (focal == more.end())
    return {{1145.04940459f, 1143.78109572f},
            {float(sample.meta.ori_shape[0]) / 2, float(sample.meta.ori_shape[1]) / 2}};
  Pinhole camera{};
  for (const auto& [list, to] :
       {std::pair(&focal->second, &camera.focal), {&center->second, &camera.center}}) {
    check(list->at(0).numel() == 2,
          "TopdownPoseEstimator3D: camera_param f and c are two numbers each, not ",
          list->at(0).shape());
    std::copy_n(list->at(0).data<float>(), 2, to->begin());
  }
  return camera;
}

class TopdownPoseEstimator3D : public TopdownPoseEstimator {
 public:
  TopdownPoseEstimator3D(const Config& model, const Scope& root)
      : TopdownPoseEstimator(model, root) {
    const Config test = model.find("test_cfg");
    if (test.is_null()) return;
    mode_ = test.get<std::string>("mode", "3d");
    check_choice(test, "mode", mode_, {"2d", "3d", "vis"});
  }

 protected:
  void place(Instances& found, const DataSample& sample) const override {
    const auto simcc = found.more.find("keypoints_simcc");
    check(simcc != found.more.end() && found.keypoints.size(-1) == 3,
          "TopdownPoseEstimator3D: the head finds ", found.keypoints.shape(),
          "; its decoder must be a SimCC3DLabel");
    to_image_space(found.keypoints, sample.meta);
    const Tensor pixels = leading(found.keypoints, 2);
    if (mode_ == "3d") to_camera_space(found.keypoints, camera_of(sample), root_depth(sample));
    if (mode_ == "2d") found.keypoints = pixels;
    if (mode_ == "vis") found.keypoints = simcc->second.at(0);
    found.more["transformed_keypoints"] = {pixels};
  }

 private:
  static float root_depth(const DataSample& sample) {
    const auto root = sample.gt_instances.more.find("root_z");
    check_input(root != sample.gt_instances.more.end(), sample.meta.img_path,
                ": the sample has no root_z: the test pipeline wants GenerateTarget with the "
                "model's SimCC3DLabel");
    return float(root->second.at(0).item());
  }

  std::string mode_ = "3d";
};

}  // namespace

void to_camera_space(const Tensor& points, const Pinhole& camera, float root_z) {
  float* p = points.data<float>();
  for (int64_t k = 0; k < points.numel() / 3; ++k, p += 3) {
    p[2] += root_z;
    for (size_t d = 0; d < 2; ++d) p[d] = (p[d] - camera.center[d]) / camera.focal[d] * p[2];
  }
}

std::unique_ptr<Estimator> make_topdown_3d(const Config& model, const Scope& root) {
  return std::make_unique<TopdownPoseEstimator3D>(model, root);
}

}  // namespace limber
