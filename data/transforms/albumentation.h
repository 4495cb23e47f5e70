// The image augmentations that configs ask Albumentations for, in our own implementation.
#pragma once

#include "data/transforms/transform.h"

namespace limber {

// Blur, MedianBlur, CoarseDropout, GridDropout, each with its own probability `p`.
class Albumentation : public Transform {
 public:
  explicit Albumentation(const Config& config);
  bool apply(Sample& sample, Random& random) const override;

 private:
  // One augmentation; changes or replaces the image.
  struct Step {
    virtual ~Step() = default;
    virtual Tensor apply(const Tensor& image, Random& random) const = 0;
    double p = 0.5;
  };
  struct Blur;
  struct CoarseDropout;
  struct GridDropout;
  static std::unique_ptr<Step> make_step(const Config& config);
  std::vector<std::unique_ptr<Step>> steps_;
};

}  // namespace limber
