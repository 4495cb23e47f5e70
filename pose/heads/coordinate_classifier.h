// The dynamic coordinate classifier of RTMO: key points as distributions over bins that span each
// person's own box; Lu et al. 2024, arXiv 2312.07526, section 3.2.
#pragma once

#include <array>

#include "nn/blocks/detr.h"
#include "nn/blocks/gau.h"
#include "pose/config/config.h"

namespace limber {

// M people, K key points, Bx and By bins along the axes.
class CoordinateClassifier {
 public:
  CoordinateClassifier() = default;
  CoordinateClassifier(const Config& dcc_cfg, const Scope& s, int64_t num_keypoints);

  struct Estimate {
    Tensor keypoints;  // (M, K, 2), the means of the distributions
    Tensor x, y;       // (M, K, Bx), (M, K, By), distributions
    Tensor sigmas;     // (M, K), how far off the classifier thinks it is
  };
  // vectors: (M, pose channels) of grid points (M, 2); spans: (M, 4), centre and size of what the
  // bins divide; pixels.
  Estimate estimate(const Tensor& vectors, const Tensor& spans, const Tensor& points) const;
  // The key points alone, with bounded memory.
  Tensor keypoints(const Tensor& vectors, const Tensor& spans, const Tensor& points) const;
  // The likelihoods of the bins given the true key points (M, K, 2) of people of these areas (M,):
  // exp(-|d| / (2 sigma sqrt(area))) / sigma, not normalised; equation 2.
  std::array<Tensor, 2> likelihoods(const Tensor& truth, const Tensor& spans, const Tensor& sigmas,
                                    const Tensor& areas) const;

 private:
  struct Distributions {
    Tensor x, y;
  };
  Distributions distributions(const Tensor& vectors, const Tensor& spans,
                              const Tensor& points) const;
  Tensor decoded(const Distributions& d, const Tensor& spans) const;
  // Where bins (B,) of an axis (0 or 1) lie relative to `origin` (M, 2) or, undefined, to the
  // image: (M, B).
  Tensor places(const Tensor& bins, const Tensor& spans, int64_t axis, const Tensor& origin) const;

  int64_t keypoints_ = 0, channels_ = 0;
  Tensor x_bins_, y_bins_, position_, sigma_scale_;
  SineEncoding encoding_;
  Linear to_keypoints_, x_fc_, y_fc_, sigma_fc_;
  BatchNorm norm_;
  Gau gau_;
};

}  // namespace limber
