// Key points as coordinates in units of the input's size.
#pragma once

#include "pose/codecs/codec_support.h"

namespace limber {

class RegressionLabel : public Codec {
 public:
  explicit RegressionLabel(const Config& config);
  // keypoint_labels (N, K, 2), keypoint_weights (N, K): 1 where visible and on the input.
  TensorLists encode(const EncodeInput& input) const override;
  // {(N, K, 2), or (N, K, 4) with a standard deviation of x and y}, without N too -> key points
  // (N, K, 2), scores (N, K) = 1, or 1 - the mean deviation.
  Decoded decode(std::span<const Tensor> encoded) const override;
  std::map<std::string, std::string> label_mapping() const override;

 private:
  Size input_size_;
};

}  // namespace limber
