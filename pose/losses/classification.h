// Losses of yes-or-no outputs.
#pragma once

#include "pose/losses/loss.h"

namespace limber {

// BCELoss. output, target: (N, ...); weight: (N) or as many dimensions as fit. With
// use_sigmoid the outputs are probabilities already (sic), without it they are logits.
std::unique_ptr<Loss> make_bce(const Config& config, const Scope& scope);

// VariFocalLoss. output: logits (N, ...), target: scores of that shape; weight as above. Losses
// that are not finite count 0. Zhang et al. 2021, arXiv 2008.13367.
std::unique_ptr<Loss> make_varifocal(const Config& config, const Scope& scope);

}  // namespace limber
