// What the parity cases of the one-stage heads leave out: a whole prediction that is known by hand,
// training, pictures without people, options that hooks change, bad configs.
#include "pose/heads/one_stage.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/autograd.h"
#include "nn/optim/param_groups.h"
#include "pose/core/keypoint_metrics.h"
#include "tensor/ops.h"
#include "tests/support/heads.h"
#include "tests/support/tensors.h"

namespace limber {
namespace {

using test::kRTMO;
using test::kYOLOX;

constexpr int64_t kPoints = 17;

struct Made {
  ParameterStore store{3};
  std::unique_ptr<Head> head;
  explicit Made(const std::string& json)
      : head(make_head(Config::parse(json, "head"), Scope(store) / "head")) {}
  // Sets a parameter to one value everywhere.
  void fill(const std::string& name, double value) {
    Tensor at = store.at("head." + name).value;
    at.copy_from(Tensor::full(at.shape(), value));
  }
};

bool is_rtmo(const char* json) { return Config::parse(json).type() == "RTMOHead"; }

// Maps of a picture of 64 x 48 at strides 8 and 16: 8 channels for YOLOXPoseHead, 16 for RTMOHead,
// which gives each branch one half.
Features random_maps(const char* json, int64_t images, uint64_t seed) {
  const int64_t channels = is_rtmo(json) ? 16 : 8;
  return {test::uniform({images, 6, 8, channels}, -1, 1, seed),
          test::uniform({images, 3, 4, channels}, -1, 1, seed + 1)};
}

// Sample n holds n % 3 people.
std::vector<DataSample> crowd(size_t images) {
  std::vector<DataSample> samples(images);
  for (size_t n = 0; n < images; ++n) {
    const auto people = int64_t(n % 3);
    std::vector<float> boxes, points;
    for (int64_t i = 0; i < people; ++i) {
      const float x = 4 + 28 * float(i), y = 6 + 2 * float(n);
      boxes.insert(boxes.end(), {x, y, x + 24, y + 32});
      for (int k = 0; k < kPoints; ++k)
        points.insert(points.end(), {x + 3 + 6 * float(k % 4), y + 2 + 7 * float(k / 4)});
    }
    TensorLists& labels = samples[n].labels;
    labels["bboxes"] = {Tensor::from(boxes, {people, 4})};
    labels["labels"] = {Tensor::zeros({people}, DType::i64)};
    labels["keypoints"] = {Tensor::from(points, {people, kPoints, 2})};
    labels["keypoints_visible"] = {Tensor::full({people, kPoints}, 1)};
    labels["areas"] = {Tensor::full({people}, 400)};
    samples[n].meta.input_size = {64, 48};
    samples[n].meta.flip_indices = {0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15};
  }
  return samples;
}

Tensor total(const Losses& losses) {
  Tensor all;
  for (const auto& [name, value] : losses)
    if (name.find("loss") != std::string::npos)
      all = all.defined() ? all + mean(value) : mean(value);
  return all;
}

std::vector<std::string> names_of(const Losses& losses) {
  std::vector<std::string> names;
  for (const auto& [name, value] : losses) {
    for (double v : to_doubles(value)) EXPECT_TRUE(std::isfinite(v)) << name;
    names.push_back(name);
  }
  return names;
}

class OneStage : public testing::TestWithParam<const char*> {};

std::string head_name(const testing::TestParamInfo<const char*>& info) {
  return Config::parse(info.param).type();
}

INSTANTIATE_TEST_SUITE_P(Heads, OneStage, testing::Values(kYOLOX, kRTMO), head_name);

TEST_P(OneStage, LearnsThreeSamplesInThirtySteps) {
  Made made(GetParam());
  made.store.train(true);
  ParamGroup group;
  OptimizerOptions options = OptimizerOptions::defaults(OptimizerKind::adamw);
  options.lr = 5e-3;
  group[Hyper::lr] = options.lr;
  group[Hyper::momentum] = options.momentum;
  for (Parameter& p : const_cast<std::deque<Parameter>&>(made.store.all())) {
    if (p.role != Role::parameter) continue;
    require_grad(p.value);
    group.parameters.push_back(&p);
  }
  Optimizer optimizer(options, {group});
  const Features maps = random_maps(GetParam(), 3, 5);
  const std::vector<DataSample> samples = crowd(3);
  double first = 0, last = 0;
  for (int step = 0; step < 30; ++step) {
    Tape tape;
    const Tensor loss = total(made.head->loss(maps, samples));
    ASSERT_TRUE(std::isfinite(loss.item())) << step;
    (step == 0 ? first : last) = loss.item();
    optimizer.zero_grad();
    tape.backward(loss);
    if (step == 0)
      for (const Parameter* p : group.parameters) {
        ASSERT_TRUE(grad_of(p->value).defined()) << p->name;
        double top = 0;
        for (float v : grad_of(p->value).span<float>()) top = std::max(top, std::abs(double(v)));
        EXPECT_GT(top, 0) << p->name;
      }
    optimizer.step();
  }
  EXPECT_LT(last, 0.6 * first);
}

TEST_P(OneStage, AuxiliaryLossesComeWhenAHookAsks) {
  Made made(GetParam());
  made.store.train(true);
  const Features maps = random_maps(GetParam(), 3, 5);
  const auto auxiliary = [&] {
    int count = 0;
    for (const std::string& name : names_of(made.head->loss(maps, crowd(3))))
      count += name.ends_with("_aux");
    return count;
  };
  EXPECT_EQ(auxiliary(), 0);
  made.head->set_option("use_aux_loss", Config::value(true));
  EXPECT_EQ(auxiliary(), is_rtmo(GetParam()) ? 1 : 2);
  EXPECT_THROW(made.head->set_option("use_aux_los", Config::value(true)), InputError);
}

TEST_P(OneStage, AHookChangesTheWeightOfALoss) {
  Made made(GetParam());
  made.store.train(false);  // the same statistics twice
  const Features maps = random_maps(GetParam(), 3, 5);
  if (is_rtmo(GetParam())) made.store.train(true);  // whose offsets exist in training alone
  const auto box = [&] {
    for (const auto& [name, value] : made.head->loss(maps, crowd(3)))
      if (name == "loss_bbox") return value.item();
    return 0.0;
  };
  const double before = box();
  EXPECT_GT(before, 0);
  made.head->set_option("loss_bbox.loss_weight", Config::value(15.0));
  EXPECT_NEAR(box(), 3 * before, 1e-4 * before);
}

TEST_P(OneStage, PicturesWithoutPeopleTeachTheScoreAlone) {
  Made made(GetParam());
  made.store.train(true);
  const std::vector<DataSample> samples = crowd(1);
  const std::vector<std::string> names =
      names_of(made.head->loss(random_maps(GetParam(), 1, 5), samples));
  const std::vector<std::string> want = is_rtmo(GetParam())
                                            ? std::vector<std::string>{"loss_cls", "num_samples"}
                                            : std::vector<std::string>{"loss_obj"};
  EXPECT_EQ(names, want);
}

TEST_P(OneStage, FindsNobodyAboveTheThreshold) {
  Made made(GetParam());
  made.store.train(false);
  const TestOptions test = read_test_options(Config::parse(R"({"score_thr": 0.9})", "test_cfg"));
  const auto found = made.head->predict(random_maps(GetParam(), 2, 5), nullptr, crowd(2), test);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].instances.keypoints.shape(), (Shape{0, kPoints, 2}));
  EXPECT_EQ(found[0].instances.bboxes.shape(), (Shape{0, 4}));
}

TEST_P(OneStage, RefusesMapsThatItHasNoStridesFor) {
  Made made(GetParam());
  EXPECT_THROW(made.head->forward({random_maps(GetParam(), 1, 5)[0]}), std::exception);
}

TEST_P(OneStage, RefusesBadConfigs) {
  const auto made = [](std::string json, const std::string& from, const std::string& to) {
    const size_t at = json.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    json.replace(at, from.size(), to);
    try {
      Made head(json);
      ADD_FAILURE() << "taken: " << to;
    } catch (const InputError& e) {
      EXPECT_NE(std::string(e.what()).find("head"), std::string::npos) << e.what();
    }
  };
  const char* json = GetParam();
  made(json, "\"prior_generator\": {\"type\": \"MlvlPointGenerator\"",
       "\"prior_generator\": {\"type\": \"MlvlPriorGenerator\"");
  made(json, "\"num_classes\": 1", "\"num_classes\": 2");
  made(json, "\"stacked_convs\": 1", "\"stacked_convs\": 0");
  made(json, "\"stacked_convs\": 1", "\"stacked_conv\": 1");
  made(json, "SimOTAAssigner", "SimOtaAssigner");
  made(json, "\"dynamic_k_indicator\": \"oks\"", "\"dynamic_k_indicator\": \"ok\"");
  made(json, "\"head_module_cfg\"", "\"head_modul_cfg\"");
}

// Makes every weight zero, and the score of a point its first input channel (of the first branch's
// half in RTMOHead) less 5, so that a picture can be drawn straight into the maps.
void score_by_first_channel(Made& made) {
  for (const Parameter& p : made.store.all())
    if (p.role == Role::parameter && p.name.find(".bn.") == std::string::npos)
      made.fill(p.name.substr(5), 0);
  for (const Parameter& p : made.store.all()) {
    const bool conv =
        p.name.find("conv_cls") != std::string::npos && p.name.ends_with("conv.weight");
    if (!conv && p.name.find("out_cls") == std::string::npos) continue;
    Tensor value = p.value;
    if (p.name.ends_with("out_cls.0.bias") || p.name.ends_with("out_cls.1.bias")) {
      value.data<float>()[0] = -5;
    } else {  // (O, kH, kW, C): the middle of the window
      value.data<float>()[value.numel() / value.size(0) / 2 / value.size(3) * value.size(3)] = 1;
    }
  }
  made.store.train(false);
}

TEST(YOLOXPoseHead, PredictsThePersonThatIsDrawnIntoTheMaps) {
  Made made(kYOLOX);
  score_by_first_channel(made);
  for (int level = 0; level < 2; ++level) {
    made.fill(str("head_module.out_obj.", level, ".bias"), 20);
    made.fill(str("head_module.out_kpt_vis.", level, ".bias"), 1);
    // A box of e by e strides, half a stride right of and below its point.
    Tensor box = made.store.at(str("head.head_module.out_bbox.", level, ".bias")).value;
    Tensor points = made.store.at(str("head.head_module.out_kpt.", level, ".bias")).value;
    for (int i = 0; i < 4; ++i) box.data<float>()[i] = i < 2 ? 0.5f : 1.0f;
    for (int i = 0; i < 2 * kPoints; ++i) points.data<float>()[i] = 0.1f * float(i / 2);
  }
  Features maps{Tensor::zeros({1, 6, 8, 8}), Tensor::zeros({1, 3, 4, 8})};
  maps[0].data<float>()[(2 * 8 + 3) * 8] = 10;  // row 2, column 3: the point (24, 16)
  const TestOptions test =
      read_test_options(Config::parse(R"({"score_thr": 0.1, "nms_thr": 0.65})", "test_cfg"));
  const auto found = made.head->predict(maps, nullptr, crowd(1), test);
  ASSERT_EQ(found.size(), 1u);
  const Instances& one = found[0].instances;
  ASSERT_EQ(one.keypoints.shape(), (Shape{1, kPoints, 2}));
  EXPECT_NEAR(one.bbox_scores.data<float>()[0], 1 / (1 + std::exp(-5.0)), 1e-3);
  const double half = 4 * std::exp(1.0);
  const double want[] = {28 - half, 20 - half, 28 + half, 20 + half};
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(one.bboxes.data<float>()[i], want[i], 1e-3) << i;
  for (int k = 0; k < kPoints; ++k) {
    EXPECT_NEAR(one.keypoints.data<float>()[2 * k], 24 + 0.8 * k, 1e-3);
    EXPECT_NEAR(one.keypoints.data<float>()[2 * k + 1], 16 + 0.8 * k, 1e-3);
    EXPECT_NEAR(one.keypoint_scores.data<float>()[k], 1 / (1 + std::exp(-1.0)), 1e-5);
  }
}

TEST(RTMOHead, PredictsThePersonThatIsDrawnIntoTheMaps) {
  Made made(kRTMO);
  score_by_first_channel(made);
  for (int level = 0; level < 2; ++level) {
    Tensor box = made.store.at(str("head.head_module.out_bbox.", level, ".bias")).value;
    for (int i = 0; i < 4; ++i) box.data<float>()[i] = i < 2 ? 0.25f : 1.0f;
  }
  Features maps{Tensor::zeros({1, 6, 8, 16}), Tensor::zeros({1, 3, 4, 16})};
  maps[1].data<float>()[(1 * 4 + 2) * 16] = 10;  // row 1, column 2: the point (39.5, 23.5)
  const TestOptions test =
      read_test_options(Config::parse(R"({"score_thr": 0.1, "nms_thr": 0.65})", "test_cfg"));
  const auto found = made.head->predict(maps, nullptr, crowd(1), test);
  ASSERT_EQ(found.size(), 1u);
  const Instances& one = found[0].instances;
  ASSERT_EQ(one.keypoints.shape(), (Shape{1, kPoints, 2}));
  EXPECT_NEAR(one.bbox_scores.data<float>()[0], 1 / (1 + std::exp(-5.0)), 1e-3);
  const double half = 8 * std::exp(1.0);
  const double want[] = {43.5 - half, 27.5 - half, 64, 48};  // kept to the picture
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(one.bboxes.data<float>()[i], want[i], 1e-3) << i;
  // Without any weight all bins are as likely: the middle of the whole box.
  for (int i = 0; i < 2 * kPoints; ++i)
    EXPECT_NEAR(one.keypoints.data<float>()[i], i % 2 == 0 ? 43.5 : 27.5, 1e-3) << i;
}

TEST(RTMOHead, RegressionOffsetsAreOfTrainingAlone) {
  Made made(kRTMO);
  const Features maps = random_maps(kRTMO, 1, 5);
  made.store.train(true);
  EXPECT_EQ(made.head->forward(maps).size(), 10u);
  made.store.train(false);
  const Outputs out = made.head->forward(maps);
  ASSERT_EQ(out.size(), 8u);
  EXPECT_EQ(out[0].first, "0/0");
  EXPECT_EQ(out[0].second.shape(), (Shape{1, 1, 6, 8}));
  EXPECT_EQ(out.back().first, "4/1");
  EXPECT_EQ(out.back().second.shape(), (Shape{1, 12, 3, 4}));
}

TEST(RTMOHead, TheClassifierTeachesOnceAHookAsks) {
  Made made(kRTMO);
  made.store.train(true);
  const Features maps = random_maps(kRTMO, 3, 5);
  made.head->set_option("proxy_target_cc", Config::value(true));
  EXPECT_EQ(names_of(made.head->loss(maps, crowd(3))).front(), "loss_bbox");
  made.head->set_option("loss_mle.loss_weight", Config::value(0.0));
  EXPECT_THROW(made.head->loss(maps, crowd(3)), InputError);
}

}  // namespace
}  // namespace limber
