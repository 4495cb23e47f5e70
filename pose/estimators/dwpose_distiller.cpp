#include "pose/estimators/dwpose_distiller.h"

#include "pose/estimators/image_estimator.h"
#include "pose/heads/simcc_base.h"
#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {
namespace {

Config model_of(const Config& tree_or_file) {
  const Config tree =
      tree_or_file.is_string() ? load_config(tree_or_file.as<std::string>()) : tree_or_file;
  return tree.at("model");
}

const SimCCBase* simcc_head(Estimator& model, const Config& c) {
  const auto* head = dynamic_cast<const SimCCBase*>(model.head());
  check_input(head != nullptr, c.path(), ": a model with a head of x and y logits (RTMCCHead, ",
              "SimCCHead, RTMWHead) is wanted");
  return head;
}

}  // namespace

DWPoseDistiller::DWPoseDistiller(const Config& c, const Scope& root)
    : second_stage_(c.get("two_dis", false)) {
  const Config teacher_cfg = c.at("teacher_cfg"), student_cfg = c.at("student_cfg");
  const Config student_model = model_of(student_cfg);
  teacher_ = make_estimator(model_of(teacher_cfg), root / "teacher");
  student_ = make_estimator(student_model, root / "student");
  for (const Config& part : {teacher_cfg, student_cfg}) part.ignore();
  teacher_head_ = simcc_head(*teacher_, teacher_cfg);
  student_head_ = simcc_head(*student_, student_cfg);
  (root / "teacher").freeze();
  (root / "teacher").keep_eval();
  if (second_stage_) dynamic_cast<ImageEstimator&>(*student_).see_through(*teacher_);
  beta_ = student_model.at("head").find("loss").get("beta", 1.0);
  read_losses(c.find("distill_cfg"), root / "distill_losses");
  submodels_.push_back({"student", student_model});
  if (!c.has("teacher_pretrained")) return;
  Config pretrained = Config::object(), teacher = Config::object();
  pretrained.set("type", Config::value("Pretrained"));
  pretrained.set("checkpoint", c.at("teacher_pretrained"));
  teacher.set("init_cfg", pretrained);
  submodels_.push_back({"teacher", teacher});
}

void DWPoseDistiller::read_losses(const Config& list, const Scope& s) {
  for (size_t i = 0; i < (list.is_null() ? 0 : list.size()); ++i) {
    const Config methods = list.at(i).at("methods");
    for (size_t j = 0; j < methods.size(); ++j) {
      const Config method = methods.at(j);
      const auto name = method.get<std::string>("name");
      check_input(name == "loss_fea" || name == "loss_logit", method.path(), ".name: unknown \"",
                  name, "\"", did_you_mean(name, {"loss_fea", "loss_logit"}));
      if (!method.get<bool>("use_this")) {
        method.ignore();
        continue;
      }
      check_input(name == "loss_logit" || !second_stage_, method.path(), ": the second stage has ",
                  "the teacher's features alone, so they are not compared");
      (name == "loss_fea" ? feature_loss_ : logit_loss_) = make_loss(method, s / name);
    }
    list.at(i).expect_all_read();
  }
}

Features DWPoseDistiller::features(const Tensor& inputs) const {
  return student_->features(inputs);
}

Head* DWPoseDistiller::head() { return student_->head(); }

Outputs DWPoseDistiller::forward(const Tensor& inputs) const { return student_->forward(inputs); }

void DWPoseDistiller::predict(const Tensor& inputs, Batch samples) const {
  student_->predict(inputs, samples);
}

Losses DWPoseDistiller::loss(const Tensor& inputs, ConstBatch samples) const {
  Features taught;
  AxisLogits wanted;
  {
    const NoRecord no_record;
    taught = teacher_->features(inputs);
    wanted = teacher_head_->logits(taught);
  }
  const Features seen = second_stage_ ? taught : student_->features(inputs);
  const AxisLogits own = student_head_->logits(seen);
  Losses losses = student_head_->loss_of(own, samples);
  const TrainOptions& progress = student_head_->train;
  const bool fades = !second_stage_ && progress.max_epochs > 0;
  const double share = fades ? 1 - double(progress.epoch) / progress.max_epochs : 1;
  if (feature_loss_)
    losses.emplace_back(
        "loss_fea",
        feature_loss_->single(
            {.outputs = {seen.back()}, .targets = {taught.back()}, .weight = {}, .mask = {}}) *
            share);
  if (logit_loss_) {
    const Tensor beta = Tensor::full({}, beta_);
    losses.emplace_back("loss_logit", logit_loss_->single({.outputs = {own.x, own.y},
                                                           .targets = {wanted.x, wanted.y, beta},
                                                           .weight = {},
                                                           .mask = {}}) *
                                          share);
  }
  return losses;
}

std::unique_ptr<Estimator> make_dwpose_distiller(const Config& model, const Scope& root) {
  return std::make_unique<DWPoseDistiller>(model, root);
}

}  // namespace limber
