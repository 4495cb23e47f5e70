// What is left to do to a sample on the model's device: a pipeline whose LoadImage says `on_device`
// writes down what it would do to the pixels and which targets it would draw, and the preprocessor
// carries it out for the whole batch.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "kernels/crop.h"
#include "kernels/targets.h"
#include "pose/core/affine.h"
#include "tensor/shape.h"

namespace limber {

// A target made of bell curves (kernels/targets.h): lines (..., n) with a curve each, or maps
// (K, H, W) of curves (K, N, 2).
struct Drawing {
  std::string name;
  Shape shape;
  bool is_map = false;
  std::vector<kernels::Bell> bells;
};

struct ImageRecipe {
  bool mirrored_x = false, mirrored_y = false;  // the picture, before it is cropped
  std::array<int, 2> size{};                    // W, H of the crop; 0: not cropped yet
  Matrix23 matrix{};                            // from the mirrored picture to the crop
  kernels::Colours colours;                     // of the crop
  std::vector<Drawing> labels, fields;          // by their names in the sample
};

}  // namespace limber
