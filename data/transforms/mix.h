// Images made of several samples of the data set.
#pragma once

#include "data/transforms/transform.h"
#include "data/warp.h"

namespace limber {

// Four images around a random point of a canvas twice the size (Bochkovskiy et al. 2020, arXiv
// 2004.10934).
class Mosaic : public Transform {
 public:
  explicit Mosaic(const Config& config);
  // center: of the four, in units of img_scale, (x, y). others: three samples with images.
  void carry_out(Sample& sample, const std::vector<Sample>& others, const Point& center) const;
  bool apply(Sample& sample, Random& random) const override;

 private:
  std::array<int, 2> img_scale_;
  std::array<double, 2> center_range_;
  double pad_, prob_;
  Pipeline pre_;
};

// The mean of the image and another one, scaled and cropped (Ge et al. 2021, arXiv 2107.08430).
class YOLOXMixUp : public Transform {
 public:
  explicit YOLOXMixUp(const Config& config);
  struct Draw {
    double jitter = 1;
    bool flip = false;
    int64_t crop_x = 0, crop_y = 0;  // any numbers >= 0, taken modulo the room there is
  };
  void carry_out(Sample& sample, const Sample& other, const Draw& draw) const;
  bool apply(Sample& sample, Random& random) const override;

 private:
  std::array<int, 2> img_scale_;
  std::array<double, 2> ratio_range_;
  double flip_ratio_, pad_, prob_;
  bool clip_;
  Pipeline pre_;
};

}  // namespace limber
