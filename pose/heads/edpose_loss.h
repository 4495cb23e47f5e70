// The training criterion of ED-Pose: true people are matched with queries at the least cost, then
// classes, boxes and key points of the pairs are compared. MMPose leaves it out; this one follows
// the paper (Yang et al. 2023, arXiv 2302.01593, section 3.4 and appendix), matching and box losses
// being those of DETR (Carion et al. 2020, arXiv 2005.12872).
#pragma once

#include "pose/heads/edpose_denoising.h"

namespace limber {

struct EDPoseLossOptions {
  // Weights of the losses, and of the same terms in the matching's cost.
  double cls = 2, box = 5, giou = 2, points = 10, oks = 4;
  double denoising_cls = 0.3, denoising_box = 0.5;  // factors of cls, and of box and giou
  double alpha = 0.25;                              // focal loss; Lin et al. 2017, arXiv 1708.02002
  std::vector<double> sigmas;                       // K
};
// The head's `loss` node, null for all defaults. Throws InputError where K is not 17 and no sigmas
// are given.
EDPoseLossOptions read_edpose_loss(const Config& loss, int64_t keypoints, const std::string& where);

class EDPoseCriterion {
 public:
  EDPoseCriterion(const EDPoseLossOptions& o, std::span<const EDPoseTruth> truth, int64_t person);

  // Losses of one layer's queries behind the denoising ones, names begin with `prefix`; without
  // `points` those of classes and boxes alone.
  void add(const std::string& prefix, const EDPosePredictions& found, Losses& losses) const;
  // Losses of denoising queries, whose people are known. logits: (N, R, classes), boxes: (N, R, 4)
  void add_denoising(const std::string& prefix, const Tensor& logits, const Tensor& boxes,
                     const DenoisingQueries& queries, Losses& losses) const;

 private:
  struct Pairs {
    std::vector<int64_t> queries, people;  // rows of (N Q, ...) and of all true people
  };
  Pairs match(const EDPosePredictions& found) const;
  Tensor focal(const Tensor& logits, const Pairs& pairs, double count) const;
  void add_boxes(const std::string& prefix, const Tensor& boxes, const Pairs& pairs, double count,
                 double weight, Losses& losses) const;
  void add_points(const std::string& prefix, const Tensor& points, const Pairs& pairs,
                  Losses& losses) const;

  EDPoseLossOptions options_;
  int64_t person_;
  std::vector<int64_t> first_;  // the first person of each sample among all, then their number
  Tensor boxes_, points_, visible_, areas_, units_;  // of all people; units_ (P, 1, 2): see .cpp
  double count_;                                     // of people, 1 at least
};

// Generalised IoU of boxes as centre and size, (T, 4) each: (T,). Rezatofighi et al. 2019, arXiv
// 1902.09630.
Tensor generalised_iou(const Tensor& a, const Tensor& b);

}  // namespace limber
