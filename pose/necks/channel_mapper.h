// Every map to one width by a convolution, and coarser maps behind the last.
#pragma once

#include "pose/necks/neck.h"

namespace limber {

std::unique_ptr<Neck> make_channel_mapper(const Config& config, const Scope& scope);

}  // namespace limber
