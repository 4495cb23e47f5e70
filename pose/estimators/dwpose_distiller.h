// Two-stage distillation for whole-body pose: a frozen teacher lends a student its features and
// logits; then it lends a student's new head its whole backbone. Yang et al. 2023 (DWPose), arXiv
// 2307.15880.
#pragma once

#include "pose/estimators/estimator.h"
#include "pose/losses/loss.h"

namespace limber {

class ImageEstimator;
class SimCCBase;

class DWPoseDistiller : public Estimator {
 public:
  // Parameters: teacher (frozen, in evaluation mode), student, distill_losses.NAME. teacher_cfg and
  // student_cfg are whole configs, or files of some, relative to the current folder.
  DWPoseDistiller(const Config& model, const Scope& root);
  Outputs forward(const Tensor& inputs) const override;  // the student's
  // The student's own losses, loss_fea and loss_logit. In the first stage these two fade out
  // linearly over the epochs.
  Losses loss(const Tensor& inputs, ConstBatch samples) const override;
  void predict(const Tensor& inputs, Batch samples) const override;
  Features features(const Tensor& inputs) const override;  // what the student's head sees
  Head* head() override;                                   // the student's
  std::vector<SubModel> submodels() const override { return submodels_; }

 private:
  void read_losses(const Config& distill_cfg, const Scope& s);
  bool second_stage_;  // two_dis: the student's head sees the teacher's features
  std::unique_ptr<Estimator> teacher_, student_;
  const SimCCBase *teacher_head_, *student_head_;
  std::unique_ptr<Loss> feature_loss_, logit_loss_;  // null: not used
  double beta_ = 1;                                  // of the student's own loss
  std::vector<SubModel> submodels_;
};

std::unique_ptr<Estimator> make_dwpose_distiller(const Config& model, const Scope& root);

}  // namespace limber
