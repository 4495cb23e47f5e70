// InterHand2.6M (Moon et al. 2020, arXiv 2008.09309): annotations, cameras and joints in three
// files.
#pragma once

#include "data/datasets/coco_style.h"

namespace limber {

// Config keys: camera_param_file, joint_file (beside ann_file's data_root). 42 joints: right hand 0
// to 20 with its wrist last, left hand 21 to 41. Keypoints are pixels; with `3d`, a third number is
// the depth in millimetres from the own hand's wrist, and more holds keypoints_cam, abs_depth,
// rel_root_depth, rel_root_valid, focal, principal_pt, rotation.
InstanceList read_interhand_2d(const ReadContext& context);
InstanceList read_interhand_3d(const ReadContext& context);

}  // namespace limber
