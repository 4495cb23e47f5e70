// Whole-image transforms of bottom-up and one-stage training and test. Unlike the top-down warp
// they overwrite keypoints and bbox: from there on these are in input space.
#pragma once

#include "data/transforms/transform.h"
#include "data/warp.h"

namespace limber {

// A random similarity (`affine`) or affine map with shear (`perspective`) into input_size.
class BottomupRandomAffine : public Transform {
 public:
  explicit BottomupRandomAffine(const Config& config);
  struct Draw {
    Point offset{0, 0};  // fractions of the image (affine) or of the input (perspective)
    double scale = 1, rotation = 0;
    Point shear{0, 0};  // degrees
  };
  Draw draw(Random& random) const;
  void carry_out(Sample& sample, const Draw& draw) const;
  bool apply(Sample& sample, Random& random) const override;

 private:
  Matrix33 matrix(const Sample& sample, const Draw& draw) const;
  std::array<int, 2> input_size_;
  double shift_factor_, shift_prob_, scale_prob_, rotate_factor_, rotate_prob_, shear_factor_,
      shear_prob_;
  std::array<double, 2> scale_factor_;
  Border pad_;
  bool long_, uniform_, perspective_, keep_corner_, clip_;
};

// For tests: the whole image at input_size, keeping its aspect ratio, in a padded frame whose
// sides are multiples of size_factor.
class BottomupResize : public Transform {
 public:
  explicit BottomupResize(const Config& config);
  bool apply(Sample& sample, Random& random) const override;

 private:
  struct Frame {
    Point filled;               // width, height of the image within
    std::array<int, 2> padded;  // {W, H}
  };
  Frame frame_for(const std::array<int, 2>& image, const std::array<int, 2>& wanted) const;
  std::array<int, 2> input_size_;
  std::vector<double> aug_scales_;
  int size_factor_;
  bool expand_, udp_;
  Border pad_;
};

// A random window of the image; instances whose box leaves it are dropped.
class BottomupRandomCrop : public Transform {
 public:
  explicit BottomupRandomCrop(const Config& config);
  struct Draw {
    std::array<int, 2> size, offset;  // {W, H}, (x, y)
  };
  Draw draw(const Sample& sample, Random& random) const;
  bool carry_out(Sample& sample, const Draw& draw) const;
  bool apply(Sample& sample, Random& random) const override;

 private:
  std::string type_;
  std::array<double, 2> crop_size_;
  bool allow_negative_, recompute_, clip_;
};

// Resizes to one of several sizes.
class BottomupRandomChoiceResize : public Transform {
 public:
  explicit BottomupRandomChoiceResize(const Config& config);
  void carry_out(Sample& sample, size_t choice) const;
  bool apply(Sample& sample, Random& random) const override;

 private:
  std::vector<std::array<int, 2>> scales_;
  bool keep_ratio_, clip_;
};

// fields["heatmap_mask"]: f32 (H, W) of each heat map's size, 0 where unannotated people stand (or
// 1 there alone with get_invalid).
class BottomupGetHeatmapMask : public Transform {
 public:
  explicit BottomupGetHeatmapMask(const Config& config);
  bool apply(Sample& sample, Random& random) const override;

 private:
  bool get_invalid_;
};

// u8 (H, W, 1): 1 inside of any of the outlines, filled as the COCO tools do.
Tensor segmentation_mask(const std::vector<Segmentation>& outlines,
                         const std::array<int, 2>& height_width);

// Keeps instances with a box, area and number of visible key points large enough.
class FilterAnnotations : public Transform {
 public:
  explicit FilterAnnotations(const Config& config);
  bool apply(Sample& sample, Random& random) const override;

 private:
  std::array<double, 2> min_wh_;
  double min_area_;
  int min_visible_;
  bool by_box_, by_area_, by_keypoints_, drop_empty_;
};

}  // namespace limber
