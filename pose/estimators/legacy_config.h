// Model configs of older releases, in today's words: heads used to choose and merge feature maps
// themselves, which is now the neck's work.
#pragma once

#include "pose/config/config.h"

namespace limber {

// The model itself where nothing in it is old; else a copy in which the head's input_transform,
// input_index, align_corners and extra.upsample have become a FeatureMapProcessor neck, and
// has_final_layer, extra.final_conv_kernel and num_deconv_* the head's options final_layer and
// deconv_*. Throws InputError where an old option makes no sense.
Config updated_model(const Config& model);

}  // namespace limber
