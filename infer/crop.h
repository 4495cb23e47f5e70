// From a picture and a box to a network's input: the top-down crop, warped and normalised in one
// pass.
#pragma once

#include "infer/model_file.h"
#include "pose/core/affine.h"

namespace limber {

// Pixels of somebody else: rows of `width` R, G, B bytes, `stride` bytes apart.
struct Picture {
  const uint8_t* rgb = nullptr;
  int width = 0, height = 0;
  int64_t stride = 0;
};

// A crop's place in the picture: where input coordinates go back to.
struct CropPlace {
  Point center{}, scale{};
};

// box: x, y, width, height. input: (height, width, 3) f32. Bilinear with OpenCV's fixed point, as
// data/warp.h; black outside. Allocates nothing. Throws InputError where the box has no area.
CropPlace crop_input(const Picture& picture, const float* box, const Preprocessing& p,
                     float* input);

}  // namespace limber
