// Mirror images.
#pragma once

#include <optional>

#include "data/transforms/transform.h"
#include "data/warp.h"
#include "pose/core/keypoint.h"

namespace limber {

// Mirrors image, boxes and key points; left and right parts change places.
class RandomFlip : public Transform {
 public:
  explicit RandomFlip(const Config& config);
  std::optional<FlipDirection> draw(Random& random) const;
  void carry_out(Sample& sample, std::optional<FlipDirection> direction) const;
  bool apply(Sample& sample, Random& random) const override;

 private:
  std::vector<FlipDirection> directions_;
  std::vector<double> probs_;
};

// Of hands: also swaps which hand is which and the sign of their relative depth.
class HandRandomFlip : public RandomFlip {
 public:
  explicit HandRandomFlip(const Config& config);
  bool apply(Sample& sample, Random& random) const override;
};

// Of poses for lifting: 2-D key points and 3-D target (more["lifting_target"]) around a fixed x,
// their root, or with flip_image the picture's middle; optionally the camera too
// (more["camera_param/c"], "/p", "/w"). flip_label: the labels that GenerateTarget made instead.
class RandomFlipAroundRoot : public Transform {
 public:
  explicit RandomFlipAroundRoot(const Config& config);
  void carry_out(Sample& sample) const;
  bool apply(Sample& sample, Random& random) const override;

 private:
  struct Center {
    bool is_root = false;
    double x = 0;
    int root = 0;
  };
  static Center read_center(const Config& config);
  static Keypoints flip_at(const Keypoints& k, const std::vector<int>& swap, const Center& c);
  void flip_labels(Sample& sample) const;
  Center keypoints_, target_;
  double prob_;
  bool flip_camera_, flip_label_, flip_image_;
};

}  // namespace limber
