// Annotations for detectors with key points: class indices, boxes that hold all key points.
#pragma once

#include <optional>

#include "pose/codecs/codec_support.h"

namespace limber {

// Maji et al. 2022, arXiv 2204.06806, as YOLOX-Pose and RTMO use it. There is nothing to decode.
class YOLOXPoseAnnotationProcessor : public Codec {
 public:
  explicit YOLOXPoseAnnotationProcessor(const Config& config);
  // bbox_labels (N,) i64: category_id - 1. With expand_bbox: bbox (N, 4), grown to the visible key
  // points, which are clipped to the input. Key points, visibility, boxes and areas pass through.
  TensorLists encode(const EncodeInput& input) const override;
  Decoded decode(std::span<const Tensor> encoded) const override;
  std::map<std::string, std::string> label_mapping() const override;
  std::vector<std::string> auxiliary_keys() const override { return {"category_id", "bbox"}; }

 private:
  bool expand_bbox_;
  std::optional<Size> input_size_;
};

}  // namespace limber
