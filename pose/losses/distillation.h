// What a student network loses against its teacher; Yang et al. 2023 (DWPose), arXiv 2307.15880.
// Nothing flows back into the teacher.
#pragma once

#include "pose/losses/loss.h"

namespace limber {

// FeaLoss. output: the student's features, target: the teacher's, (N, H, W, C) each. The sum of
// squared differences, divided by N, times alpha_fea; equation 1. Parameters: align, a 1 x 1
// convolution of the student's features, where the widths differ.
std::unique_ptr<Loss> make_feature_distillation(const Config& config, const Scope& scope);

// KDLoss. outputs, targets: one (N, K, bins) per axis, logits of student and teacher; behind the
// targets may stand beta, of shape (), which all logits are multiplied by (1 where it is missing).
// KL(teacher || student) of the softmaxes, summed over axes, averaged over N and K, times weight;
// equation 3.
std::unique_ptr<Loss> make_logit_distillation(const Config& config, const Scope& scope);

}  // namespace limber
