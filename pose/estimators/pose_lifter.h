// Lifting: 2-D key points in, 3-D poses out, with an optional branch for the root's trajectory and
// a loss for sequences without 3-D labels.
#pragma once

#include "pose/estimators/estimator.h"
#include "pose/losses/loss.h"

namespace limber {

// Inputs are what the lifting codecs encode: (N, 2 K, T), or (N, T, K, 3) for MotionBERT.
class PoseLifter : public Estimator {
 public:
  PoseLifter(const Config& model, const Scope& root);
  // With a trajectory branch "0" is the pose and "1" the trajectory.
  Outputs forward(const Tensor& inputs) const override;
  // Where there is a semi_loss, samples without the label lifting_target_label take part in it:
  // meta.more then has target_2d (K, 2) and intrinsics (4 or 9), see SemiSupervisionLoss.
  Losses loss(const Tensor& inputs, ConstBatch samples) const override;
  // pred_instances.keypoints: (1, K, 3), or (1, T, K, 3) from a motion head; in the units of the
  // decoder. The trajectory's prediction is in more["trajectory"].
  void predict(const Tensor& inputs, Batch samples) const override;
  Features features(const Tensor& inputs) const override;
  Head* head() override { return pose_.head.get(); }

 private:
  struct Branch {
    std::unique_ptr<Backbone> backbone;
    std::unique_ptr<Neck> neck;
    std::unique_ptr<Head> head;
    Features operator()(const Tensor& inputs) const;
  };
  static Branch read_branch(const Config& model, const Scope& root, const std::string& prefix);
  void add_semi_loss(const Tensor& labelled, const Tensor& inputs, ConstBatch samples,
                     Losses& losses) const;

  Branch pose_, trajectory_;
  std::unique_ptr<Loss> semi_loss_;
  TestOptions test_;
  std::vector<int> output_keypoints_;  // empty: all
};

std::unique_ptr<Estimator> make_pose_lifter(const Config& model, const Scope& root);

}  // namespace limber
