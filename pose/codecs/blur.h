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

// Blurs maps (height, width) in place along both axes, or along x alone where the height is 1. One
// object for many maps: it allocates where a map is larger than those before and reserve()d ones.
class Blur {
 public:
  explicit Blur(int kernel_size);
  const std::vector<float>& kernel() const { return kernel_; }
  void reserve(int64_t height, int64_t width);
  void apply(float* map, int64_t height, int64_t width, Border border);
  // With zero border, then scaled so that the maximum is what it was. A map that the blur leaves
  // without a maximum other than 0 becomes NaN, as in the reference.
  void keep_peak(float* map, int64_t height, int64_t width);
  // A copy of a map to work on; valid until the next.
  float* copy(const float* map, int64_t height, int64_t width);

 private:
  std::vector<float> kernel_, padded_, rows_, copy_;
};

// maps (..., H, W), each by Blur::keep_peak().
Tensor blur_keeping_peak(const Tensor& maps, int kernel_size);
// signals (..., L): the same along the last dimension alone.
Tensor blur_keeping_peak_1d(const Tensor& signals, int kernel_size);

// ln(clamp(b, floor, ceiling)) for pixels of b, which is one map blurred keeping its peak. The
// whole map is blurred only when a pixel asked for needs the scale of b, which is when it may be
// clamped: otherwise the scale shifts all logarithms alike, and no difference of them sees it.
class LogBlur {
 public:
  // `map` (height, width) and `blur`, which no other LogBlur may use meanwhile, must outlive this.
  LogBlur(const float* map, int64_t height, int64_t width, Blur& blur, float floor, float ceiling);
  // out (rows, columns): the logarithms, up to a constant common to the patch, of the pixels
  // [top, top + rows) x [left, left + columns). Coordinates beyond the map repeat its edge.
  // rows and columns up to 5.
  void patch(int64_t top, int64_t left, int rows, int columns, double* out);

 private:
  bool local_patch(int64_t top, int64_t left, int rows, int columns, double* out);
  const float* map_;
  int64_t height_, width_;
  Blur& blur_;
  float floor_, ceiling_;
  float peak_;
  const float* whole_ = nullptr;  // the map blurred, null until needed
};

}  // namespace limber
