// Losses of yes-or-no outputs.
#pragma once

#include "pose/losses/loss.h"

namespace limber {

// BCELoss. output, target: (N, ...); weight: (N) or as many dimensions as fit. With
// use_sigmoid the outputs are probabilities already (sic), without it they are logits.
std::unique_ptr<Loss> make_bce(const Config& config, const Scope& scope);

}  // namespace limber
