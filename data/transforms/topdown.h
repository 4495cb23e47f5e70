// From a box to the network's input: centre and scale, their random changes, the warp.
#pragma once

#include <optional>
#include <span>

#include "data/transforms/transform.h"

namespace limber {

// Reads img from meta.img_path unless it is there already; sets img_shape and ori_shape. With
// `on_device` the transforms behind it leave img as it is and write down what they would do.
class LoadImage : public Transform {
 public:
  explicit LoadImage(const Config& config);
  // A pipeline of which only TopdownAffine looks at the pixels: opens the file, and TopdownAffine
  // decodes what it needs.
  void leave_decoding() { leaves_decoding_ = true; }
  bool apply(Sample& sample, Random& random) const override;

 private:
  bool on_device_, leaves_decoding_ = false;
};

// bbox -> bbox_center, bbox_scale * padding. A centre and scale given by the data set stay, and
// only grow by the padding.
class GetBBoxCenterScale : public Transform {
 public:
  explicit GetBBoxCenterScale(const Config& config);
  bool apply(Sample& sample, Random& random) const override;

 private:
  double padding_;
};

// Now and then the upper or the lower body alone becomes the box.
class RandomHalfBody : public Transform {
 public:
  explicit RandomHalfBody(const Config& config);
  // Per instance the key points to keep, or nothing.
  using Choice = std::vector<std::optional<std::vector<int>>>;
  Choice draw(const Sample& sample, Random& random) const;
  void carry_out(Sample& sample, const Choice& choice) const;
  bool apply(Sample& sample, Random& random) const override;

 private:
  int min_total_, min_upper_, min_lower_;
  double padding_, prob_, upper_prob_;
};

// Shifts, scales and turns boxes at random.
class RandomBBoxTransform : public Transform {
 public:
  explicit RandomBBoxTransform(const Config& config);
  struct Draw {          // of one instance
    Point offset{0, 0};  // in units of bbox_scale
    double scale = 1, rotation = 0;
  };
  // normals: x shift, y shift, scale, rotation, each in [-1, 1].
  Draw from_normals(std::span<const double> normals, Random& random) const;
  void carry_out(Sample& sample, std::span<const Draw> draws) const;
  bool apply(Sample& sample, Random& random) const override;

 private:
  double shift_factor_, shift_prob_, scale_prob_, rotate_factor_, rotate_prob_;
  std::array<double, 2> scale_factor_;
};

// Cuts the (only) box out of img, or out of the file that LoadImage opened, turned upright, and
// scales it to input_size; key points go along into transformed_keypoints.
class TopdownAffine : public Transform {
 public:
  explicit TopdownAffine(const Config& config);
  bool apply(Sample& sample, Random& random) const override;

 private:
  std::array<int, 2> input_size_;
  bool udp_;
};

}  // namespace limber
