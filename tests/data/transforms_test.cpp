#include "data/transforms/transform.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "data/transforms/bottomup.h"
#include "data/transforms/flip.h"
#include "data/transforms/target.h"
#include "data/transforms/topdown.h"
#include "pose/core/bbox.h"
#include "tests/support/tensors.h"

namespace limber {
namespace {

Sample sample_of(int H, int W, int64_t N = 1) {
  Sample s;
  s.img = Tensor::empty({H, W, 3}, DType::u8);
  for (int64_t i = 0; i < s.img.numel(); ++i) s.img.data<uint8_t>()[i] = uint8_t(40 + i % 150);
  s.meta.img_shape = s.meta.ori_shape = {H, W};
  s.bbox = Tensor::empty({N, 4});
  s.keypoints = Tensor::empty({N, 17, 2});
  s.keypoints_visible = Tensor::full({N, 17}, 1);
  s.area = Tensor::full({N}, 100);
  for (int64_t n = 0; n < N; ++n) {
    const float box[4] = {4, 6, 30, 40};
    std::copy_n(box, 4, s.bbox.data<float>() + 4 * n);
    for (int64_t k = 0; k < 17; ++k) {
      s.keypoints.data<float>()[(n * 17 + k) * 2] = float(5 + k);
      s.keypoints.data<float>()[(n * 17 + k) * 2 + 1] = float(8 + k * 1.5);
    }
  }
  auto meta = std::make_shared<DatasetMeta>();
  for (int k = 0; k < 17; ++k) {
    (k < 11 ? meta->upper_body_ids : meta->lower_body_ids).push_back(k);
    meta->flip_indices.push_back(k == 0 ? 0 : k % 2 == 1 ? k + 1 : k - 1);
  }
  s.dataset = meta;
  s.meta.flip_indices = meta->flip_indices;
  return s;
}

void expect_same(const Tensor& a, const Tensor& b, float tolerance) {
  ASSERT_EQ(a.shape(), b.shape());
  for (int64_t i = 0; i < a.numel(); ++i)
    ASSERT_NEAR(a.data<float>()[i], b.data<float>()[i], tolerance) << i;
}

std::unique_ptr<Transform> made(const char* text) { return make_transform(Config::parse(text)); }

TEST(Transforms, FlippingTwiceRestoresTheSample) {
  const Sample before = sample_of(50, 70);
  for (auto d : {FlipDirection::horizontal, FlipDirection::vertical, FlipDirection::diagonal}) {
    Sample s = before;
    const RandomFlip flip(Config::parse("{}"));
    flip.carry_out(s, d);
    EXPECT_TRUE(s.meta.flip);
    flip.carry_out(s, d);
    expect_same(s.bbox, before.bbox, 1e-4f);
    expect_same(s.keypoints, before.keypoints, 1e-4f);
  }
}

TEST(Transforms, FlipMirrorsJointsInSpaceToo) {
  Sample s = sample_of(50, 70);
  const int64_t K = s.keypoints.size(1);
  const Tensor pose = test::uniform({1, K, 3}, 1, 2, 1);
  s.more["keypoints_3d"] = {pose};
  const std::vector<int> swap = s.meta.flip_indices;
  RandomFlip(Config::parse("{}")).carry_out(s, FlipDirection::horizontal);
  const Tensor& flipped = s.more.at("keypoints_3d")[0];
  for (int64_t k = 0; k < K; ++k) {
    const float* from = pose.data<float>() + 3 * swap[size_t(k)];
    const float* to = flipped.data<float>() + 3 * k;
    EXPECT_EQ(to[0], -from[0]);
    EXPECT_EQ(to[1], from[1]);
    EXPECT_EQ(to[2], from[2]);
  }
}

TEST(Transforms, FlipsHappenAsOftenAsTold) {
  const RandomFlip flip(
      Config::parse(R"({"prob":[0.3,0.2],"direction":["horizontal","vertical"]})"));
  Random random(3);
  int horizontal = 0, vertical = 0;
  for (int i = 0; i < 10000; ++i) {
    const auto d = flip.draw(random);
    horizontal += d == FlipDirection::horizontal;
    vertical += d == FlipDirection::vertical;
  }
  EXPECT_NEAR(horizontal, 3000, 150);
  EXPECT_NEAR(vertical, 2000, 150);
}

// The way back of decoded points: input space to image space.
TEST(Transforms, TheCropsWayBackLeadsToTheOriginalPoints) {
  Sample s = sample_of(50, 70);
  Random random(1);
  made(R"({"type":"GetBBoxCenterScale"})")->apply(s, random);
  made(R"({"type":"TopdownAffine","input_size":[48,64]})")->apply(s, random);
  for (int64_t i = 0; i < s.keypoints.numel(); ++i) {
    const size_t d = size_t(i % 2);
    const float back = s.transformed_keypoints.data<float>()[i] / float(s.meta.input_size[d]) *
                           s.meta.input_scale[d] +
                       s.meta.input_center[d] - 0.5f * s.meta.input_scale[d];
    EXPECT_NEAR(back, s.keypoints.data<float>()[i], 1e-3);
  }
}

TEST(Transforms, AnAbsurdBoxIsAnErrorThatNamesTheImage) {
  Random random(1);
  for (const float bad : {0.0f, -3.0f, NAN, INFINITY}) {
    Sample s = sample_of(50, 70);
    s.meta.img_path = "street.jpg";
    s.bbox_center = Tensor::full({1, 2}, 10);
    s.bbox_scale = Tensor::full({1, 2}, bad);
    try {
      made(R"({"type":"TopdownAffine","input_size":[48,64]})")->apply(s, random);
      ADD_FAILURE() << bad;
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find("street.jpg"), std::string::npos);
    }
  }
}

TEST(Transforms, HalfBodiesFollowVisibilityAndPreference) {
  const RandomHalfBody half(Config::parse(R"({"prob":1.0,"upper_prioritized_prob":1.0})"));
  Random random(1);
  Sample s = sample_of(50, 70);
  auto choice = half.draw(s, random);
  ASSERT_TRUE(choice[0]);
  EXPECT_EQ(choice[0]->size(), 11u);
  for (int k = 0; k < 10; ++k) s.keypoints_visible.data<float>()[k] = 0;  // one upper point left
  EXPECT_FALSE(half.draw(s, random)[0]);                                  // seven are too few
  const RandomHalfBody few(Config::parse(R"({"prob":1.0,"min_total_keypoints":5})"));
  choice = few.draw(s, random);
  ASSERT_TRUE(choice[0]);
  EXPECT_EQ(*choice[0], (std::vector<int>{11, 12, 13, 14, 15, 16}));
}

TEST(Transforms, RandomBoxesStayWithinTheirRanges) {
  const RandomBBoxTransform transform(Config::parse(
      R"({"shift_factor":0.1,"scale_factor":[0.8,1.2],"rotate_factor":30,"rotate_prob":1.0,
          "shift_prob":1.0})"));
  Random random(5);
  double turned = 0;
  for (int i = 0; i < 500; ++i) {
    Sample s = sample_of(50, 70);
    s.bbox_center = Tensor::full({1, 2}, 20);
    s.bbox_scale = Tensor::full({1, 2}, 10);
    transform.apply(s, random);
    EXPECT_LE(std::abs(s.bbox_center.data<float>()[0] - 20), 1.001f);
    EXPECT_GE(s.bbox_scale.data<float>()[0], 7.999f);
    EXPECT_LE(s.bbox_scale.data<float>()[1], 12.001f);
    turned = std::max(turned, double(std::abs(s.bbox_rotation.data<float>()[0])));
  }
  EXPECT_GT(turned, 15);
  EXPECT_LE(turned, 30);
}

TEST(Transforms, AugmentationsChangeTheImageOnlyWhenDrawn) {
  Random random(2);
  for (
      const char* step :
      {R"({"type":"Blur","p":P})", R"({"type":"MedianBlur","p":P})",
       R"({"type":"CoarseDropout","max_holes":1,"max_height":0.4,"max_width":0.4,"min_holes":1,
            "min_height":0.2,"min_width":0.2,"p":P})",
       R"({"type":"GridDropout","unit_size_min":10,"unit_size_max":40,"random_offset":true,"p":P})"})
    for (const bool drawn : {false, true}) {
      std::string text = step;
      text.replace(text.find("P}"), 1, drawn ? "1.0" : "0.0");
      Sample s = sample_of(64, 48);
      const Tensor before = s.img.clone();
      made((R"({"type":"Albumentation","transforms":[)" + text + "]}").c_str())->apply(s, random);
      int64_t changed = 0;
      for (int64_t i = 0; i < before.numel(); ++i)
        changed += before.data<uint8_t>()[i] != s.img.data<uint8_t>()[i];
      EXPECT_EQ(changed > 0, drawn) << text;
      if (drawn && text.find("Coarse") != std::string::npos) {
        EXPECT_GE(changed, int64_t(0.2 * 0.2 * 64 * 48 * 3 * 0.9));
        EXPECT_LE(changed, int64_t(0.4 * 0.4 * 64 * 48 * 3 * 1.1));
      }
    }
}

TEST(Transforms, SeveralEncodersMultiplyWeightsByTheDataSets) {
  Random random(1);
  Sample s = sample_of(64, 48);
  s.keypoint_weights.assign(17, 1.5f);
  const char* one =
      R"({"type":"MSRAHeatmap","input_size":[48,64],"heatmap_size":[12,16],"sigma":1})";
  made((std::string(R"({"type":"GenerateTarget","use_dataset_keypoint_weights":true,"encoder":)") +
        one + "}")
           .c_str())
      ->apply(s, random);
  ASSERT_EQ(s.fields.at("heatmaps").size(), 1u);
  EXPECT_EQ(s.fields.at("heatmaps")[0].shape(), Shape({17, 16, 12}));
  EXPECT_FLOAT_EQ(s.labels.at("keypoint_weights")[0].data<float>()[3], 1.5f);
  Sample levels = sample_of(64, 48);
  made((std::string(R"({"type":"GenerateTarget","multilevel":true,"encoder":[)") + one + "," + one +
        "]}")
           .c_str())
      ->apply(levels, random);
  EXPECT_EQ(levels.fields.at("heatmaps").size(), 2u);
}

TEST(Transforms, PackingAddsTheLabelsItIsAskedFor) {
  Random random(1);
  Sample s = sample_of(64, 48);
  made(R"({"type":"PackPoseInputs","pack_transformed":true,"meta_keys":["hand_type"],
           "extra_mapping_labels":{"area":"areas","bbox":"bboxes"}})")
      ->apply(s, random);
  EXPECT_FLOAT_EQ(s.packed->labels.at("areas")[0].data<float>()[0], 100);
  EXPECT_EQ(s.packed->labels.at("bboxes")[0].shape(), Shape({1, 4}));
  EXPECT_EQ(s.packed->inputs.shape(), Shape({64, 48, 3}));
}

TEST(Transforms, FilteredSamplesAreDropped) {
  Random random(1);
  Sample s = sample_of(64, 48, 2);
  for (int k = 0; k < 17; ++k) s.keypoints_visible.data<float>()[k] = 0;
  s.ids = {7, 8};
  EXPECT_TRUE(made(R"({"type":"FilterAnnotations"})")->apply(s, random));
  EXPECT_EQ(s.num_instances(), 1);
  EXPECT_EQ(s.ids, std::vector<int64_t>{8});
  s.keypoints_visible = Tensor::zeros({1, 17});
  EXPECT_FALSE(made(R"({"type":"FilterAnnotations","keep_empty":true})")->apply(s, random));
  EXPECT_TRUE(made(R"({"type":"FilterAnnotations","keep_empty":false})")->apply(s, random));
  EXPECT_EQ(s.num_instances(), 0);
}

TEST(Transforms, MasksOfASquareAndOfRunLengths) {
  Segmentation square;
  square.polygons = {{2, 3, 8, 3, 8, 7, 2, 7}};
  Tensor mask = segmentation_mask({square}, {10, 12});
  int64_t inside = 0;
  for (int64_t i = 0; i < mask.numel(); ++i) inside += mask.data<uint8_t>()[i];
  EXPECT_EQ(inside, 6 * 4);
  EXPECT_EQ(mask.data<uint8_t>()[3 * 12 + 2], 1);
  Segmentation runs;
  runs.size = {10, 12};
  runs.run_lengths = {3, 4, 113};  // rows 3 to 6 of the first column
  mask = segmentation_mask({runs}, {10, 12});
  for (int64_t y = 0; y < 10; ++y) EXPECT_EQ(mask.data<uint8_t>()[y * 12], y >= 3 && y < 7);
}

TEST(Transforms, OneOfSeveralPipelinesIsTaken) {
  const auto choice = made(R"({"type":"RandomChoice","prob":[0.25,0.75],"transforms":[
      [{"type":"RandomFlip","prob":1.0}], [{"type":"RandomFlip","prob":0.0}]]})");
  Random random(9);
  int flipped = 0;
  for (int i = 0; i < 2000; ++i) {
    Sample s = sample_of(8, 8);
    choice->apply(s, random);
    flipped += s.meta.flip;
  }
  EXPECT_NEAR(flipped, 500, 80);
}

}  // namespace
}  // namespace limber
