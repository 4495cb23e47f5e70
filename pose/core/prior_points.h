// The grid points of feature maps, in pixels of the network's input: what one-stage heads predict
// from.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "pose/config/config.h"
#include "tensor/tensor.h"

namespace limber {

// MlvlPointGenerator. The point of column i is (i + offset) stride, or with centralize_points the
// middle of the cell's pixels, i stride + (stride - 1) / 2; rows alike.
class PriorPoints {
 public:
  PriorPoints() = default;
  explicit PriorPoints(const Config& prior_generator);
  // sizes: {height, width} of each level's map -> (P, 4) of x, y, stride, stride; levels one after
  // the other, each row by row.
  Tensor operator()(std::span<const std::array<int64_t, 2>> sizes, DType dtype = DType::f32) const;
  size_t levels() const { return strides_.size(); }

 private:
  std::vector<std::array<int, 2>> strides_;  // of rows, of columns
  double offset_ = 0.5;
  bool centralize_ = false;
};

}  // namespace limber
