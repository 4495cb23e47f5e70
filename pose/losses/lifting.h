// Losses of lifted poses: bone lengths, velocities, and the reprojection of poses without labels.
#pragma once

#include "pose/losses/loss.h"

namespace limber {

// BoneLoss: the difference of the bones' mean lengths over the batch. output, target: (N, K, D);
// weights: (N, K), or one per bone. joint_parents: each joint's parent, a root's is itself.
std::unique_ptr<Loss> make_bone(const Config& config, const Scope& scope);

// MPJPEVelocityJointLoss (MotionBERT, Zhu et al. 2023, arXiv 2210.06551): position error, the same
// after the best scale of each pose, and the error of the steps between frames. output, target:
// (N, T, K, 3).
std::unique_ptr<Loss> make_mpjpe_velocity_joint(const Config& config, const Scope& scope);

// SemiSupervisionLoss (Pavllo et al. 2019, arXiv 1811.11742, section 4). outputs: poses with labels
// (N, K, 3) and, without, root-relative poses (M, K, 3) and their trajectory (M, 1, 3); targets:
// key points of the latter (M, K, 2) and intrinsics (M, 4 or 9): focal lengths, centre, then three
// radial and two tangential coefficients. Two losses, reprojection and bones; none while it warms
// up: the first warmup_iterations - 1 calls.
std::unique_ptr<Loss> make_semi_supervision(const Config& config, const Scope& scope);

// Pixels of points in camera space. points: (N, K, 3), intrinsics: (N, 4 or 9) as above. x / z and
// y / z are clamped to [-1, 1].
Tensor projected(const Tensor& points, const Tensor& intrinsics);

}  // namespace limber
