// Carries out what a pipeline wrote down instead of doing (pose/core/image_recipe.h): crops of a
// batch of pictures, and its targets, on the model's device.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "pose/core/image_recipe.h"
#include "pose/core/instances.h"

namespace limber {

// inputs (H, W, 3) u8 of every sample -> (N, P, Q, 3) f32 on `device`. All recipes ask for the same
// size.
Tensor crop_batch(const std::vector<DataSample>& batch, const kernels::Normalisation& norm,
                  Device device);

// Draws the recipes' labels and fields: every sample gets its part of the batch's tensor, on
// `device`. `memory` holds these tensors by name and shape; on a GPU the next batch is drawn to
// where the last of its shape was, behind the work that reads that, so that a captured step finds
// it there.
using TargetMemory = std::map<std::string, Tensor>;
void draw_targets(std::vector<DataSample>& batch, Device device, TargetMemory& memory);

}  // namespace limber
