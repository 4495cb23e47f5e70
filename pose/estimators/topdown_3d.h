// Top-down estimation of points in space (RTMPose3D of MMPose's projects).
#pragma once

#include <array>

#include "pose/estimators/estimator.h"

namespace limber {

// TopdownPoseEstimator3D by a head that finds pixels and a depth relative to the root.
// test_cfg.mode says what `keypoints` are: "3d", camera space in metres; "2d", pixels of the image;
// "vis", pixels of the crop and depth bins. more["transformed_keypoints"], (1, K, 2), are pixels of
// the image. Wants the sample's root_z, which the codec makes (GenerateTarget in the test
// pipeline); with camera_param/f and /c that camera, else MMPose's standard one.
std::unique_ptr<Estimator> make_topdown_3d(const Config& model, const Scope& root);

struct Pinhole {
  std::array<float, 2> focal, center;  // pixels, x before y
};

// points (..., 3): x and y in pixels, z relative to the root, metres -> camera space, metres. In
// place.
void to_camera_space(const Tensor& points, const Pinhole& camera, float root_z);

}  // namespace limber
