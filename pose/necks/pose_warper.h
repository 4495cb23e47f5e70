// Warps the heat maps of neighbouring frames of a video to the frame of interest and sums them up;
// Bertasius et al. 2019 (PoseWarper), arXiv 1906.04016.
#pragma once

#include "pose/necks/neck.h"

namespace limber {

// PoseWarperNeck. The maps hold the frames one after the other, (F B, H, W, C), the frame of
// interest first: frame f of sample b is row f B + b. -> one map (B, H, W, out_channels), the
// frames' warped maps times `frame_weight`, a list of F numbers beside the keys of MMPose's class
// (whose caller passes it; default: one frame of weight 1). Fresh weights warp nothing: the result
// is then the weighted sum of the frames.
// Parameters: trans_layer, offset_feats, offset_layers.I, deform_conv_layers.I.
std::unique_ptr<Neck> make_pose_warper(const Config& config, const Scope& scope);

}  // namespace limber
