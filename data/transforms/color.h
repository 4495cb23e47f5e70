// Random changes of colours.
#pragma once

#include "data/transforms/transform.h"

namespace limber {

// Brightness, contrast, saturation, hue and channel order after SSD (Liu et al. 2016, arXiv
// 1512.02325). As in the reference, contrast changes both before and after saturation and hue or
// not at all.
class PhotometricDistortion : public Transform {
 public:
  explicit PhotometricDistortion(const Config& config);
  struct Draw {
    bool change_brightness = false, change_contrast = false;
    bool change_saturation = false, change_hue = false, swap_channels = false;
    double brightness = 0, contrast = 1, saturation = 1;
    int hue = 0;
    std::array<int, 3> channels{0, 1, 2};
  };
  Draw draw(Random& random) const;
  void carry_out(Sample& sample, const Draw& draw) const;
  bool apply(Sample& sample, Random& random) const override;

 private:
  double brightness_delta_;
  std::array<double, 2> contrast_range_, saturation_range_;
  int hue_delta_;
};

// Adds the same to hue, saturation and value of every pixel, as YOLOX does.
class YOLOXHSVRandomAug : public Transform {
 public:
  explicit YOLOXHSVRandomAug(const Config& config);
  using Gains = std::array<int, 3>;
  Gains draw(Random& random) const;
  void carry_out(Sample& sample, const Gains& gains) const;
  bool apply(Sample& sample, Random& random) const override;

 private:
  std::array<double, 3> deltas_;
};

}  // namespace limber
