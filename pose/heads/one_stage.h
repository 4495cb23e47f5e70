// What one-stage heads share: people are found by the points of a grid, each with a score, a box
// and a pose of its own. Flattening and decoding of maps, assignment of people to points, the
// losses of the points that answer for one, selection of what is predicted.
#pragma once

#include <map>
#include <string>

#include "pose/core/prior_points.h"
#include "pose/core/sim_ota.h"
#include "pose/heads/head.h"
#include "pose/losses/loss.h"

namespace limber {

// The maps of all levels, (N, H, W, C) each: C classes; 4 of a box; 2 K; K logits.
struct OneStageMaps {
  Features scores, boxes, offsets, visible;
};

// The same at the P points of all levels, decoded to pixels of the input. The raw ones are relative
// to a point in units of its stride, sizes as logarithms.
struct OneStagePoints {
  Tensor priors;                    // (P, 4)
  Tensor scores;                    // (N, P, C), logits
  Tensor raw_boxes;                 // (N, P, 4): x, y, log width, log height
  Tensor boxes;                     // (N, P, 4): x1, y1, x2, y2
  Tensor raw_keypoints, keypoints;  // (N, P, K, 2), or undefined where there are no offsets
  Tensor visible;                   // (N, P, K), logits
};

// The M points of a batch that answer for somebody, and what they ought to say.
struct OneStageTargets {
  Tensor index;            // i64 (M,), of N P
  Tensor priors;           // (M, 4)
  Tensor boxes;            // (M, 4)
  Tensor keypoints;        // (M, K, 2)
  Tensor visible;          // (M, K)
  Tensor visible_weights;  // (M, K)
  Tensor areas;            // (M,)
  Tensor overlaps;         // (M, C), one-hot times the overlap of the assignment
  Tensor object;           // (N P, 1): 1 where a point answers for somebody
  Tensor object_weights;   // (N P, 1): less than 1 where unannotated people stand
  int64_t count() const { return index.numel(); }
  // What a loss is divided by.
  double samples() const { return count() > 0 ? double(count()) : 1; }
};

// One loss and its weight, which hooks may change while training.
struct OneStageLoss {
  std::unique_ptr<Loss> loss;
  double weight = 0;
  bool defined() const { return loss != nullptr; }
  // Throws where the config names none.
  Tensor operator()(const LossInput& input) const;
};

class OneStageHead : public Head {
 public:
  // use_aux_loss, overlaps_power, <loss>.loss_weight.
  void set_option(const std::string& path, const Config& value) override;

 protected:
  // Reads num_keypoints, num_classes, featmap_strides, use_aux_loss, overlaps_power, assigner,
  // prior_generator and these losses.
  OneStageHead(const Config& c, const Scope& s, std::span<const char* const> losses);

  OneStagePoints at_points(const OneStageMaps& maps) const;
  // `scores`: (N, P, C), what the assignment pays for: probabilities.
  OneStageTargets targets_of(const OneStagePoints& points, const Tensor& scores,
                             ConstBatch samples) const;
  // loss_bbox, loss_bbox_aux and loss_vis of the points that answer for somebody.
  Losses common_losses(const OneStagePoints& points, const OneStageTargets& targets) const;
  // Object key-point similarity of poses (M, K, 2) with the targets, by the assigner's sigmas: (M,
  // 1).
  Tensor similarity(const Tensor& keypoints, const OneStageTargets& targets) const;
  // The overlaps as targets of the classification.
  Tensor class_targets(const Tensor& overlaps) const;

  // What of an image's P points is predicted, best first: above score_thr, at most nms_pre, not
  // suppressed above nms_thr.
  struct Selection {
    std::vector<int64_t> points, labels;
    Tensor index;   // i64 (M,), the points
    Tensor scores;  // (M,) f32
  };
  Selection select(const Tensor& probabilities, const Tensor& boxes, const TestOptions& test) const;
  // An image's instances: boxes (P, 4), keypoints (M, K, 2), visible (P, K) probabilities.
  Prediction predicted(const Selection& selection, const Tensor& boxes, const Tensor& keypoints,
                       const Tensor& visible, const SampleMeta& meta) const;
  // The instances of images and of their mirror images, the latter turned back; of those that
  // coincide the better one.
  std::vector<Prediction> merged(const std::vector<Prediction>& plain,
                                 const std::vector<Prediction>& mirrored, ConstBatch samples,
                                 const TestOptions& test) const;

  const OneStageLoss& loss_named(const std::string& name) const { return losses_.at(name); }
  int64_t keypoints() const { return keypoints_; }
  int64_t classes() const { return classes_; }
  bool uses_aux_loss() const { return use_aux_loss_; }

 private:
  int64_t keypoints_, classes_;
  bool use_aux_loss_;
  double overlaps_power_;
  SimOta assigner_;
  PriorPoints priors_;
  std::map<std::string, OneStageLoss> losses_;
};

// (N, H, W, C) each -> (N, P, C).
Tensor flat_points(const Features& maps);

// Rows of x (N, P, ...) at `index` of N P.
Tensor rows_at(const Tensor& x, const Tensor& index);

// A copy of x (R, C) with the rows at `index` replaced. Without gradient.
Tensor with_rows(const Tensor& x, const Tensor& index, const Tensor& rows);

// The maps of all levels as MMPose nests them: "<group>/<level>".
void add_outputs(Outputs& outputs, int group, const Features& maps);

}  // namespace limber
