// SimOTA: which grid points answer for which annotated person while a one-stage head trains. Ge et
// al. 2021 (YOLOX), arXiv 2107.08430, section 2.1; with key points as in MMPose.
#pragma once

#include <cstdint>
#include <vector>

#include "pose/config/config.h"
#include "tensor/tensor.h"

namespace limber {

// One image's predictions at P points, C classes, K key points; f32 or f64.
struct PointPredictions {
  Tensor priors;     // (P, 4): x, y, stride, stride
  Tensor boxes;      // (P, 4)
  Tensor scores;     // (P, C), probabilities
  Tensor keypoints;  // (P, K, 2)
  Tensor visible;    // (P, K), probabilities
};

// One image's N annotated people.
struct PointTruth {
  Tensor boxes;      // (N, 4)
  Tensor labels;     // (N,), classes
  Tensor keypoints;  // (N, K, 2)
  Tensor visible;    // (N, K)
  Tensor areas;      // (N,)
};

// A point and the person that it answers for.
struct PointMatch {
  int64_t point = 0, person = 0;
  double overlap = 0;  // of their boxes or key points, whichever decides the number of points
};

class SimOta {
 public:
  SimOta() = default;
  explicit SimOta(const Config& assigner);
  // Points in ascending order. The cheapest points of each person, as many as the overlaps of its
  // best candidate_topk points sum to, but one at least; a point that several people chose goes to
  // the one for whom it is cheapest.
  std::vector<PointMatch> operator()(const PointPredictions& predicted,
                                     const PointTruth& truth) const;
  const std::vector<float>& sigmas() const { return sigmas_; }  // of the OKS; empty: 1 / 2 each

 private:
  struct Pairs;
  void find_candidates(Pairs& pairs) const;
  void fill_costs(Pairs& pairs) const;
  std::vector<PointMatch> choose(const Pairs& pairs) const;

  double center_radius_ = 2.5;
  int64_t candidate_topk_ = 10;
  double iou_weight_ = 3, cls_weight_ = 1, oks_weight_ = 3, vis_weight_ = 0;
  bool by_oks_ = false;            // overlaps are OKS, else IoU
  bool keypoints_center_ = false;  // people's centres are those of their visible key points
  std::vector<float> sigmas_;
};

}  // namespace limber
