// EDPoseHead: people and their key points as two nested set predictions by a deformable
// transformer; Yang et al. 2023 (ED-Pose), arXiv 2302.01593.
#pragma once

#include "pose/heads/head.h"

namespace limber {

// Features: maps of one width, finest first. Outputs: "0" logits (N, G, classes), "1" boxes
// (N, G, 4) as centre and size, "2" key points (N, G, 3 K), all x, y, then a constant for each
// point; in units of the image. Reads meta.img_shape and meta.more["batch_input_shape"] (height,
// width) of padded images.
std::unique_ptr<Head> make_edpose_head(const Config& config, const Scope& scope);

}  // namespace limber
