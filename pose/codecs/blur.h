// Gaussian blur with the kernels and borders that the reference's numbers rest on (OpenCV's), and
// logarithms of a blurred map where only a few pixels of it are wanted.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/tensor.h"

namespace limber {

// Weights of a kernel of odd `size`, sum 1, for the standard deviation OpenCV derives from the
// size: 0.3 ((size - 1) / 2 - 1) + 0.8. Sizes up to 9 have OpenCV's fixed dyadic weights.
std::vector<float> gaussian_kernel(int size);

enum class Border {
  zero,     // outside the map everything is 0
  reflect,  // dcb|abcd|cba: the border pixel is not repeated
};

// The map (height, width) blurred in place along both axes; a height of 1 is blurred along x only.
void blur(float* map, int64_t height, int64_t width, const std::vector<float>& kernel,
          Border border);

// maps (..., H, W): each blurred with zero border, then scaled so that its maximum is what it was.
// A map that the blur leaves without a maximum other than 0 becomes NaN, as in the reference.
Tensor blur_keeping_peak(const Tensor& maps, int kernel_size);
// signals (..., L): the same along the last dimension alone.
Tensor blur_keeping_peak_1d(const Tensor& signals, int kernel_size);

// ln(clamp(b, floor, ceiling)) for pixels of b, which is one map blurred keeping its peak. The
// whole map is blurred only when a pixel asked for needs the scale of b, which is when it may be
// clamped: otherwise the scale shifts all logarithms alike, and no difference of them sees it.
class LogBlur {
 public:
  // `map` (height, width) must outlive this.
  LogBlur(const float* map, int64_t height, int64_t width, const std::vector<float>& kernel,
          float floor, float ceiling);
  // out (rows, columns): the logarithms, up to a constant common to the patch, of the pixels
  // [top, top + rows) x [left, left + columns). Coordinates beyond the map repeat its edge.
  // rows and columns up to 5.
  void patch(int64_t top, int64_t left, int rows, int columns, double* out);

 private:
  bool local_patch(int64_t top, int64_t left, int rows, int columns, double* out);
  const float* map_;
  int64_t height_, width_;
  const std::vector<float>& kernel_;
  float floor_, ceiling_;
  float peak_;
  std::vector<float> full_;  // empty until needed
};

}  // namespace limber
