// Checkpoints of older MMPose versions: names and conventions made those of today's modules.
#pragma once

#include "nn/checkpoint.h"

namespace limber {

// Renames what the store does not know under its name but knows under a newer one, and converts
// what changed meaning: MMPose's own upgrades from the versions before 1.0. Names that fit stay.
//
//   keypoint_head.X                 head.X
//   head.final_layer.N.X            head.final_layer.X for the last N, head.conv_layers.N.X else
//   head.conv_layers|final_layer.X  head.simplebaseline_head.deconv_layers|final_layer.X
//   head.loss.X                     head.loss_module.X
//   CIDHead                         into its iia_module and gfd_module
//   DEKRHead offset_conv_layers     displacement_conv_layers: the vectors point the other way, and
//                                   the root's heat map moves from the first channel to the last
//   rescore_net.X                   head.rescore_net.X
StateDict upgraded(StateDict weights, const ParameterStore& store);

}  // namespace limber
