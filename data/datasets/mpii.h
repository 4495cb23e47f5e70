// MPII's own annotation format.
#pragma once

#include "data/datasets/coco_style.h"

namespace limber {

// A list of people: image, center and scale (in 200 pixels, counted from 1), joints, joints_vis.
// The box is the square around a centre moved down by 15 scales. Config key headbox_file (a path of
// its own, .mat) adds more["head_size"].
InstanceList read_mpii(const ReadContext& context);

}  // namespace limber
