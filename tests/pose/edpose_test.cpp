// What the parity cases of ED-Pose leave out: its training, padding, one stage, errors.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "autograd/autograd.h"
#include "nn/optim/param_groups.h"
#include "pose/heads/edpose_loss.h"
#include "tensor/ops.h"
#include "tests/support/heads.h"
#include "tests/support/tensors.h"

namespace limber {
namespace {

using test::kEDPose;

struct Made {
  ParameterStore store;
  std::unique_ptr<Head> head;
  explicit Made(const Config& config, DType dtype = DType::f32) : store(1, true, dtype) {
    head = make_head(config, Scope(store) / "head");
  }
  Made() : Made(Config::parse(kEDPose, "head")) {}
};

Features random_maps(int64_t N, uint64_t seed, DType dtype = DType::f32) {
  return {test::uniform({N, 8, 6, 16}, -1, 1, seed).to(dtype),
          test::uniform({N, 4, 3, 16}, -1, 1, seed + 1).to(dtype)};
}

// Sample n holds n % 3 people of three points each.
std::vector<DataSample> crowd(size_t N) {
  std::vector<DataSample> samples(N);
  for (size_t n = 0; n < N; ++n) {
    const auto people = int64_t(n % 3);
    std::vector<float> boxes, points;
    for (int64_t i = 0; i < people; ++i) {
      const float x = 0.3f + 0.4f * float(i), y = 0.4f + 0.05f * float(n);
      boxes.insert(boxes.end(), {x, y, 0.3f, 0.4f});
      points.insert(points.end(), {x - 0.1f, y, x, y - 0.15f, x + 0.1f, y + 0.1f});
    }
    samples[n].labels["bboxes"] = {Tensor::from(boxes, {people, 4})};
    samples[n].labels["keypoints"] = {Tensor::from(points, {people, 3, 2})};
    samples[n].labels["keypoints_visible"] = {Tensor::full({people, 3}, 1)};
    samples[n].meta.input_size = samples[n].meta.img_shape = {64, 48};
    samples[n].meta.more["batch_input_shape"] = {Tensor::from(std::vector<int64_t>{64, 48}, {2})};
  }
  return samples;
}

Tensor total(const Losses& losses) {
  Tensor all;
  for (const auto& [name, value] : losses)
    if (name.find("loss") != std::string::npos) all = all.defined() ? all + value : value;
  return all;
}

TEST(EDPoseHead, LearnsFourSamplesInTwentySteps) {
  Made made;
  made.store.train(true);
  ParamGroup group;
  OptimizerOptions options = OptimizerOptions::defaults(OptimizerKind::adamw);
  options.lr = 5e-3;
  group[Hyper::lr] = options.lr;
  group[Hyper::momentum] = options.momentum;
  for (Parameter& p : const_cast<std::deque<Parameter>&>(made.store.all())) {
    if (p.role != Role::parameter || !p.tied_to.empty()) continue;
    require_grad(p.value);
    group.parameters.push_back(&p);
  }
  Optimizer optimizer(options, {group});
  const Features maps = random_maps(4, 5);
  const std::vector<DataSample> samples = crowd(4);
  op_random() = Random(3);
  double first = 0, last = 0;
  for (int step = 0; step < 20; ++step) {
    Tape tape;
    const Tensor loss = total(made.head->loss(maps, samples));
    ASSERT_TRUE(std::isfinite(loss.item())) << step;
    (step == 0 ? first : last) = loss.item();
    optimizer.zero_grad();
    tape.backward(loss);
    optimizer.step();
  }
  EXPECT_LT(last, 0.6 * first);
}

TEST(EDPoseHead, EveryParameterLearns) {
  Made made;
  for (const Parameter& p : made.store.all())
    if (p.role == Role::parameter && p.tied_to.empty()) {
      require_grad(p.value);
      // Predictors end in zeros, and where to look begins with them: both hide what lies before.
      if (p.name.ends_with("layers.2.weight") || p.name.ends_with("sampling_offsets.weight") ||
          p.name.ends_with("attention_weights.weight")) {
        Tensor value = p.value;
        value.copy_from(test::uniform(p.value.shape(), -0.2, 0.2, 7));
      }
    }
  op_random() = Random(3);
  Tape tape;
  tape.backward(total(made.head->loss(random_maps(4, 5), crowd(4))));
  for (const Parameter& p : made.store.all()) {
    if (p.role != Role::parameter || !p.tied_to.empty()) continue;
    // The sizes of a key point's reference reach no loss, in the paper's code as here.
    if (p.name == "head.decoder.hw.weight" || p.name.find("pose_hw_embed") != std::string::npos)
      continue;
    const Tensor grad = grad_of(p.value);
    ASSERT_TRUE(grad.defined()) << p.name;
    double top = 0;
    for (float v : grad.span<float>()) top = std::max(top, std::abs(double(v)));
    EXPECT_TRUE(std::isfinite(top) && top > 0) << p.name << ": " << top;
  }
}

// The whole criterion's gradient against central differences in f64.
TEST(EDPoseHead, GradientMatchesDifferences) {
  Made made(Config::parse(kEDPose, "head"), DType::f64);
  const std::vector<DataSample> samples = crowd(3);
  const Features maps = random_maps(3, 5, DType::f64);
  const auto value = [&] {
    op_random() = Random(3);
    return total(made.head->loss(maps, samples));
  };
  // What the last layer alone uses: references pass from layer to layer without their gradient.
  for (const char* name :
       {"head.decoder.layers.2.ffn.layers.1.weight", "head.decoder.norm.weight",
        "head.decoder.layers.2.self_attn.attn.in_proj_weight",
        "head.decoder.bbox_embed.2.layers.2.bias", "head.decoder.class_embed.2.weight"}) {
    const Tensor weight = made.store.at(name).value;
    require_grad(weight);
    {
      Tape tape;
      tape.backward(value());
    }
    const Tensor grad = grad_of(weight);
    require_grad(weight, false);
    for (int64_t i = 0; i < weight.numel(); i += 1 + weight.numel() / 5) {
      double& x = weight.data<double>()[i];
      const double at = x, h = 1e-6;
      x = at + h;
      const double above = value().item();
      x = at - h;
      const double below = value().item();
      x = at;
      EXPECT_NEAR(grad.data<double>()[i], (above - below) / (2 * h), 1e-5) << name << " " << i;
    }
  }
}

TEST(EDPoseHead, PaddingDoesNotMatter) {
  Made made;
  std::vector<DataSample> samples = crowd(1);
  samples[0].meta.img_shape = {32, 32};  // rows 0-3 and columns 0-3 of the first map
  Features maps = random_maps(1, 5);
  const auto predict = [&] { return made.head->predict(maps, nullptr, samples, {})[0].instances; };
  const Instances before = predict();
  for (Tensor& map : maps) {
    const int64_t W = map.size(2), valid_rows = map.size(1) / 2, valid_columns = (2 * W + 2) / 3;
    for (int64_t y = 0; y < map.size(1); ++y)
      for (int64_t x = 0; x < W; ++x)
        for (int64_t c = 0; c < 16; ++c)
          if (y >= valid_rows || x >= valid_columns) map.data<float>()[(y * W + x) * 16 + c] = 9;
  }
  const Instances after = predict();
  for (int64_t i = 0; i < before.keypoints.numel(); ++i)
    EXPECT_EQ(before.keypoints.data<float>()[i], after.keypoints.data<float>()[i]) << i;
  EXPECT_EQ(before.bboxes.shape(), Shape({4, 4}));
  EXPECT_EQ(before.bbox_scores.shape(), Shape({4}));
}

TEST(EDPoseHead, LearnsQueriesWithOneStage) {
  Config config = Config::parse(kEDPose, "head").clone();
  config.set("as_two_stage", Config::value(false));
  Made made(config);
  EXPECT_EQ(made.store.at("head.refpoint_embedding.weight").value.shape(), Shape({12, 4}));
  EXPECT_EQ(made.store.find("head.memory_trans_fc.weight"), nullptr);
  const Tensor queries = made.store.at("head.query_embedding.weight").value;
  require_grad(queries);
  Tape tape;
  tape.backward(total(made.head->loss(random_maps(2, 5), crowd(2))));
  EXPECT_TRUE(grad_of(queries).defined());
}

TEST(EDPoseHead, SharesPredictors) {
  Config config = Config::parse(kEDPose, "head").clone();
  config.set_path("out_head.dec_pred_bbox_embed_share", Config::value(true));
  config.set_path("out_head.dec_pred_class_embed_share", Config::value(true));
  Made made(config);
  EXPECT_EQ(made.store.at("head.decoder.bbox_embed.2.layers.1.weight").tied_to,
            "head.decoder.bbox_embed.0.layers.1.weight");
  EXPECT_EQ(made.store.at("head.out_head.class_embed.1.bias").tied_to,
            "head.decoder.class_embed.0.bias");
}

TEST(EDPoseHead, NamesWhatDoesNotFit) {
  const auto with = [](const char* path, const Config& value) {
    Config config = Config::parse(kEDPose, "head").clone();
    config.set_path(path, value);
    return config;
  };
  const auto expect_error = [](const Config& config, const char* part) {
    try {
      Made made(config);
      FAIL() << part;
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  expect_error(with("decoder.num_box_decoder_layers", Config::value(3)), "decoder");
  expect_error(with("refine_queries_num", Config::value(7)), "num_dn");
  expect_error(with("num_queries", Config::value(3)), "num_queries");
  expect_error(with("loss.sigmas", Config::parse("[0.1]")), "sigmas");
  expect_error(with("decoder.num_grup", Config::value(3)), "num_group");
  expect_error(with("positional_encoding.num_pos_feats", Config::value(16)), "num_pos_feats");
  Made made;
  EXPECT_THROW(made.head->forward({Tensor::zeros({1, 8, 6, 16})}), Error);
  EXPECT_THROW(made.head->forward({Tensor::zeros({1, 2, 2, 16}), Tensor::zeros({1, 1, 1, 16})}),
               Error);
  EXPECT_THROW(made.head->loss(random_maps(1, 1), std::vector<DataSample>(1)), Error);
}

TEST(EDPoseMasks, LetGroupsSeeThemselvesAndBoxesEachOther) {
  const std::vector<int64_t> people{2};
  // Two groups of one box and one point behind three denoising queries of two people.
  const Tensor mask = make_edpose_masks(4, 2, 1, 3, people, DType::f32).groups;
  ASSERT_EQ(mask.shape(), Shape({1, 1, 7, 7}));
  const char* seen[] = {
      "1101111",  //
      "1101111",  // the first repetition, and all proposals
      "0011111",  // the begun second one
      "0001110",  // box: its point and the other box
      "0001100",  // point
      "0001011", "0000011",
  };
  for (int64_t q = 0; q < 7; ++q)
    for (int64_t k = 0; k < 7; ++k)
      EXPECT_EQ(mask.data<float>()[q * 7 + k] == 0, seen[q][k] == '1') << q << ", " << k;
}

TEST(GeneralisedIou, OfKnownBoxes) {
  const Tensor a =
      Tensor::from(std::vector<float>{.5, .5, 1, 1, .5, .5, 1, 1, .5, .5, 1, 1}, {3, 4});
  const Tensor b =
      Tensor::from(std::vector<float>{.5, .5, 1, 1, 1, .5, 1, 1, 2.5, .5, 1, 1}, {3, 4});
  const Tensor giou = generalised_iou(a, b);
  EXPECT_NEAR(giou.data<float>()[0], 1, 1e-6);
  EXPECT_NEAR(giou.data<float>()[1], 1.0 / 3, 1e-6);
  EXPECT_NEAR(giou.data<float>()[2], -1.0 / 3, 1e-6);  // disjoint: 0 - (3 - 2) / 3
}

TEST(DenoisingQueries, RepeatPeopleAndStayNearThem) {
  EDPoseTruth two, none;
  two.boxes = Tensor::from(std::vector<float>{.3f, .3f, .2f, .2f, .7f, .6f, .4f, .2f}, {2, 4});
  none.boxes = Tensor::zeros({0, 4});
  const std::vector<EDPoseTruth> truth{two, none};
  Random random(1);
  const DenoisingQueries q = make_denoising_queries(
      truth, {.queries = 5, .box_noise = 0.4, .label_noise = 0, .labels = 9}, 1, 9, random);
  ASSERT_EQ(q.truth.size(), 2u);
  EXPECT_TRUE(q.truth[1].empty());
  EXPECT_EQ((std::vector<int64_t>(q.truth[0].begin(), q.truth[0].begin() + 4)),
            (std::vector<int64_t>{0, 1, 0, 1}));
  for (int64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(q.labels.data<int64_t>()[i], 1);
    EXPECT_EQ(q.labels.data<int64_t>()[5 + i], 9);
    const float* known = two.boxes.data<float>() + 4 * q.truth[0][size_t(i)];
    const float* noisy = q.boxes.data<float>() + 4 * i;
    for (int d = 0; d < 4; ++d)
      EXPECT_LE(std::abs(noisy[d] - known[d]), 0.4f * known[d % 2 + 2] / (d < 2 ? 2 : 1) + 1e-6f);
  }
}

}  // namespace
}  // namespace limber
