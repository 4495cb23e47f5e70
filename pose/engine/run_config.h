// What a whole run's config may hold at its top.
#pragma once

#include "pose/config/config.h"
#include "pose/core/dataset_meta.h"

namespace limber {

// Throws InputError for a top-level key that no program reads, with the nearest one that some do.
// Configs in Python may define variables of their own, so this is for JSON alone.
void check_top_level(const Config& config);

}  // namespace limber
