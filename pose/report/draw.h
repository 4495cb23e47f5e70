// Drawing predictions on pictures: boxes, skeletons, points, all anti-aliased.
#pragma once

#include <array>

#include "pose/core/dataset_meta.h"
#include "pose/core/instances.h"

namespace limber {

// image: u8 (H, W, 3), channels B, G, R; drawn upon in place. Coordinates are pixels, and may lie
// outside.
void draw_line(const Tensor& image, double x0, double y0, double x1, double y1, double thickness,
               Rgb colour, double opacity = 1);
void draw_disc(const Tensor& image, double x, double y, double radius, Rgb colour,
               double opacity = 1);
void draw_box(const Tensor& image, const float* xyxy, double thickness, Rgb colour);

// Where the key points are on the picture, (N, K, 2 or more): transformed_keypoints of instances
// whose own are in space (TopdownPoseEstimator3D), keypoints of others.
const Tensor& points_on_picture(const Instances& instances);

struct DrawOptions {
  double score_threshold = 0.3;  // key points below are left out
  double thickness = 0;          // 0: chosen by the picture's size
  bool boxes = true;
};

// The instances' skeletons in the data set's colours; where it has none, a hue per link. Key
// points count as drawn by keypoint_scores, or without these by keypoints_visible.
void draw_instances(const Tensor& image, const Instances& instances, const DatasetMeta& meta,
                    const DrawOptions& options = {});

}  // namespace limber
