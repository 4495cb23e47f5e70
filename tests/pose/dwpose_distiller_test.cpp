// DWPoseDistiller at a width where it trains in a moment: what each stage learns from, what it
// leaves alone, and bad configs.
#include <gtest/gtest.h>

#include <map>

#include "autograd/autograd.h"
#include "nn/init.h"
#include "nn/optim/optimizer.h"
#include "pose/estimators/estimator.h"
#include "tensor/op.h"
#include "tensor/ops.h"
#include "tests/support/learning.h"
#include "tests/support/tensors.h"

namespace limber {
namespace {

std::string pose_model(const char* widen, int channels) {
  return str(R"({"model": {"type": "TopdownPoseEstimator",
      "backbone": {"type": "CSPNeXt", "deepen_factor": 0.167, "widen_factor": )",
             widen, R"(, "out_indices": [4]},
      "head": {"type": "RTMCCHead", "in_channels": )",
             channels, R"(, "out_channels": 3, "input_size": [64, 64],
               "in_featuremap_size": [2, 2], "gau_cfg": {"hidden_dims": 16, "s": 8},
               "loss": {"type": "KLDiscretLoss", "beta": 10.0, "label_softmax": true},
               "decoder": {"type": "SimCCLabel", "input_size": [64, 64], "sigma": 3.0}},
      "test_cfg": {"flip_test": false}}})");
}

constexpr const char* kBothLosses =
    R"([{"methods": [{"type": "FeaLoss", "name": "loss_fea", "use_this": true,
          "student_channels": 64, "teacher_channels": 128, "alpha_fea": 0.001}]},
        {"methods": [{"type": "KDLoss", "name": "loss_logit", "use_this": true, "weight": 0.1}]}])";

struct Made {
  ParameterStore store{4};
  std::unique_ptr<Estimator> model;
  std::vector<DataSample> samples{4};
  Tensor images = test::uniform({4, 64, 64, 3}, -1, 1, 9);

  Made(bool second_stage, const std::string& losses)
      : Made(second_stage, losses, pose_model("0.0625", 64)) {}
  Made(bool second_stage, const std::string& losses, const std::string& student) {
    const std::string json =
        str(R"({"type": "DWPoseDistiller", "two_dis": )", second_stage ? "true" : "false",
            ", \"teacher_cfg\": ", pose_model("0.125", 128), ", \"student_cfg\": ", student,
            ", \"distill_cfg\": ", losses, "}");
    model = make_estimator(Config::parse(json, "model"), Scope(store));
    // Heads start with logits near 0, which tell nothing apart.
    for (const char* head : {"teacher.head", "student.head"}) {
      store.initialise_layers(head, "Conv2d", "weight", init::normal(0, 0.1));
      store.initialise_layers(head, "Linear", "weight", init::normal(0, 0.2));
    }
    // In evaluation mode a fresh network's norms do nothing, and the usual weights let all die
    // away.
    store.initialise_layers("teacher.backbone", "Conv2d", "weight", init::kaiming(init::Fan::in));
    for (size_t i = 0; i < samples.size(); ++i) {
      for (const char* axis : {"keypoint_x_labels", "keypoint_y_labels"})
        samples[i].labels[axis] = {softmax(test::uniform({1, 3, 128}, 0, 9, 20 + i))};
      samples[i].labels["keypoint_weights"] = {Tensor::full({1, 3}, 1)};
    }
  }

  double loss(const std::string& wanted) const {
    for (const auto& [name, value] : model->loss(images, samples))
      if (name == wanted) return value.item();
    return -1;
  }

  // Losses of every step; teacher and student train as a trainer would have them.
  std::vector<double> train(int steps) {
    store.train(true);
    Optimizer optimizer(OptimizerOptions::defaults(OptimizerKind::adam),
                        {test::learning_group(store, 2e-3)});
    std::vector<double> losses;
    for (int i = 0; i < steps; ++i) {
      Tape tape;
      Tensor total;
      for (const auto& [name, value] : model->loss(images, samples))
        if (name.find("loss") != std::string::npos) total = total.defined() ? total + value : value;
      losses.push_back(total.item());
      tape.backward(total);
      optimizer.step();
      optimizer.zero_grad();
    }
    return losses;
  }

  std::map<std::string, Tensor> copy() const {
    std::map<std::string, Tensor> values;
    for (const Parameter& p : store.all()) values[p.name] = p.value.clone();
    return values;
  }
  // Whether anything below this path differs from a copy.
  bool changed(const std::string& path, const std::map<std::string, Tensor>& before) const {
    for (const Parameter& p : store.all())
      if (lies_below(p.name, path) && p.value.dtype() == DType::f32 &&
          sum(abs(p.value - before.at(p.name))).item() != 0)
        return true;
    return false;
  }
};

TEST(DwposeDistiller, FirstStageTeachesTheStudentAlone) {
  Made made(false, kBothLosses);
  const auto before = made.copy();
  const std::vector<double> losses = made.train(20);
  EXPECT_LT(losses.back(), 0.8 * losses.front()) << testing::PrintToString(losses);
  EXPECT_FALSE(made.changed("teacher", before));
  for (const char* part : {"student.backbone", "student.head", "distill_losses.loss_fea.align"})
    EXPECT_TRUE(made.changed(part, before)) << part;
}

TEST(DwposeDistiller, FirstStageFadesOut) {
  Made made(false, kBothLosses);
  TrainOptions& progress = made.model->head()->train;
  progress.max_epochs = 10;
  const double fea = made.loss("loss_fea"), logit = made.loss("loss_logit");
  const double own = made.loss("loss_kpt");
  EXPECT_GT(fea, 0);
  EXPECT_GT(logit, 0);
  progress.epoch = 5;
  EXPECT_NEAR(made.loss("loss_fea"), fea / 2, 1e-6 * fea);
  EXPECT_NEAR(made.loss("loss_logit"), logit / 2, 1e-6 * logit);
  EXPECT_EQ(made.loss("loss_kpt"), own);
}

TEST(DwposeDistiller, SecondStageTeachesTheHeadOnTheTeachersFeatures) {
  const std::string logits =
      R"([{"methods": [{"type": "KDLoss", "name": "loss_logit", "use_this": true}]}])";
  Made made(true, logits, pose_model("0.125", 128));
  made.model->head()->train.max_epochs = 10;
  const double logit = made.loss("loss_logit");
  made.model->head()->train.epoch = 5;
  EXPECT_EQ(made.loss("loss_logit"), logit);
  const auto before = made.copy();
  const std::vector<double> losses = made.train(20);
  EXPECT_LT(losses.back(), 0.8 * losses.front()) << testing::PrintToString(losses);
  EXPECT_FALSE(made.changed("teacher", before));
  EXPECT_FALSE(made.changed("student.backbone", before));
  EXPECT_TRUE(made.changed("student.head", before));
  // Prediction goes the same way.
  for (const Parameter& p : made.store.all())
    if (lies_below(p.name, "student.backbone")) {
      Tensor value = p.value;
      value.copy_from(Tensor::zeros(value.shape(), value.dtype()));
    }
  const NoRecord no_record;
  made.store.train(false);
  const Tensor x = made.model->forward(made.images).at(0).second;
  EXPECT_GT(sum(abs(slice(x, 0, 0, 1) - slice(x, 0, 1, 2))).item(), 1e-3);
}

std::string error_of(bool second_stage, const std::string& losses) {
  try {
    Made made(second_stage, losses,
              pose_model(second_stage ? "0.125" : "0.0625", second_stage ? 128 : 64));
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(DwposeDistiller, RefusesLossesThatItDoesNotKnow) {
  EXPECT_NE(error_of(false, R"([{"methods": [{"type": "KDLoss", "name": "loss_logits",
                                             "use_this": true}]}])")
                .find("did you mean \"loss_logit\""),
            std::string::npos);
  EXPECT_NE(error_of(true, kBothLosses).find("second stage"), std::string::npos);
}

}  // namespace
}  // namespace limber
