// 3-D poses on a page: a picture that turns under the mouse and plays sequences.
#pragma once

#include <string>

#include "pose/core/dataset_meta.h"
#include "tensor/tensor.h"

namespace limber {

// One HTML element with its own script, of poses (T, K, 3): x to the right, y down, z away from the
// viewer, any unit. `id` tells several on one page apart: letters and digits.
std::string pose_view(const Tensor& poses, const DatasetMeta& meta, const std::string& id);

}  // namespace limber
