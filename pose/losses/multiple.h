// Several losses of several outputs.
#pragma once

#include "pose/losses/loss.h"

namespace limber {

// MultipleLossWrapper: loss i of output i and target i, all with the same weights; one value each.
// Parameters: loss_modules.I.
std::unique_ptr<Loss> make_multiple_losses(const Config& config, const Scope& scope);

// CombinedLoss: the same of losses with names, in the order of the config's keys. Parameters: NAME.
std::unique_ptr<Loss> make_combined_losses(const Config& config, const Scope& scope);

}  // namespace limber
