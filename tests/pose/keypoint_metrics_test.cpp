// Distances, alignments and training accuracies on cases worked out by hand.
#include "pose/core/keypoint_metrics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "pose/core/accuracy.h"
#include "pose/core/nms.h"
#include "pose/core/svd3.h"
#include "tensor/error.h"

namespace limber {
namespace {

using Mat3 = std::array<double, 9>;

void expect_decomposed(const Mat3& m) {
  const Svd3 svd = svd3(m);
  for (size_t i = 0; i < 3; ++i)
    for (size_t j = 0; j < 3; ++j) {
      double product = 0, uu = 0, vv = 0;
      for (size_t k = 0; k < 3; ++k) {
        product += svd.u[3 * i + k] * svd.s[k] * svd.v[3 * j + k];
        uu += svd.u[3 * k + i] * svd.u[3 * k + j];
        vv += svd.v[3 * k + i] * svd.v[3 * k + j];
      }
      EXPECT_NEAR(product, m[3 * i + j], 1e-12);
      EXPECT_NEAR(uu, i == j, 1e-12);
      EXPECT_NEAR(vv, i == j, 1e-12);
    }
  EXPECT_GE(svd.s[0], svd.s[1]);
  EXPECT_GE(svd.s[1], svd.s[2]);
  EXPECT_GE(svd.s[2], 0);
}

TEST(Svd3, DecomposesFullAndDeficientMatrices) {
  expect_decomposed({2, -1, .5, 3, 4, -2, .25, 7, 1});
  expect_decomposed({1, 0, 0, 0, 1, 0, 0, 0, 1});
  expect_decomposed({1, 2, 3, 2, 4, 6, 3, 6, 9});  // rank 1
  expect_decomposed({1, 2, 3, 4, 5, 6, 7, 8, 9});  // rank 2
  expect_decomposed({0, 0, 0, 0, 0, 0, 0, 0, 0});
  expect_decomposed({1e-9, 0, 0, 0, 1e9, 1, 0, 0, 1});
}

TEST(Similarity, RecoversRotationScaleAndShift) {
  const std::vector<double> source = {0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 1, 1};
  const double c = std::cos(.7), s = std::sin(.7);
  std::vector<double> target;
  for (size_t i = 0; i < source.size(); i += 3)
    target.insert(target.end(),
                  {2.5 * (c * source[i] - s * source[i + 1]) + 1,
                   2.5 * (s * source[i] + c * source[i + 1]) - 4, 2.5 * source[i + 2] + 9});
  const std::vector<double> moved = similarity_aligned(source, target);
  for (size_t i = 0; i < target.size(); ++i) EXPECT_NEAR(moved[i], target[i], 1e-12);
}

TEST(Similarity, NeverMirrors) {
  const std::vector<double> source = {1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 1, 1};
  std::vector<double> mirrored = source;
  for (size_t i = 0; i < mirrored.size(); i += 3) mirrored[i] = -mirrored[i];
  const std::vector<double> moved = similarity_aligned(source, mirrored);
  double off = 0;
  for (size_t i = 0; i < moved.size(); ++i) off += std::abs(moved[i] - mirrored[i]);
  EXPECT_GT(off, 0.5);
}

// Two people, two points. Errors in pixels: 3-4-5 triangles.
const Points kTruth{2, 2, 2, {0, 0, 10, 0, 0, 0, 10, 0}};
const Points kFound{2, 2, 2, {3, 4, 10, 0, 6, 8, 10, 5}};
const PointMask kAll{1, 1, 1, 1};

TEST(KeypointMetrics, DistancesMeansAndShares) {
  EXPECT_NEAR(keypoint_epe(kFound, kTruth, kAll), (5 + 0 + 10 + 5) / 4.0, 1e-6);
  const std::vector<double> factors = {10, 10, 20, 20};
  EXPECT_NEAR(keypoint_nme(kFound, kTruth, kAll, factors), (.5 + 0 + .5 + .25) / 4, 1e-6);
  const PointAccuracy pck = keypoint_pck_accuracy(kFound, kTruth, kAll, 0.3, factors);
  EXPECT_EQ(pck.per_keypoint, (std::vector<double>{0, 1}));
  EXPECT_NEAR(pck.average, 0.5, 1e-12);
  // Thresholds 0, 1/4, 1/2, 3/4 of 20 px; distances are strictly below.
  EXPECT_NEAR(keypoint_auc(kFound, kTruth, kAll, 20, 4), (0 + .25 + .75 + 1) / 4, 1e-12);
}

TEST(KeypointMetrics, MasksAndZeroFactorsLeaveOut) {
  const PointMask first = {1, 0, 1, 0};
  const PointAccuracy pck =
      keypoint_pck_accuracy(kFound, kTruth, first, 0.6, std::vector<double>{10, 10, 0, 20});
  EXPECT_EQ(pck.per_keypoint, (std::vector<double>{1, -1}));
  EXPECT_EQ(pck.counted, 1);
  EXPECT_EQ(keypoint_epe(kFound, kTruth, PointMask(4, 0)), 0);
  EXPECT_THROW(keypoint_mpjpe(kFound, kTruth, PointMask(4, 0)), Error);
}

TEST(KeypointMetrics, ScaleAlignment) {
  const Points gt{1, 1, 3, {2, 4, 6}}, pred{1, 1, 3, {1, 2, 3}};
  EXPECT_NEAR(keypoint_mpjpe(pred, gt, {1}, Alignment::none), std::sqrt(14.0), 1e-12);
  EXPECT_NEAR(keypoint_mpjpe(pred, gt, {1}, Alignment::scale), 0, 1e-12);
}

TEST(KeypointMetrics, LabelsCountOnlyWhereAllAreValid) {
  const std::vector<double> pred = {.9, .1, .9, .9, .2, .2}, gt = {1, 0, 1, 0, 1, 0};
  const PointMask mask = {1, 1, 1, 1, 1, 0};
  EXPECT_NEAR(multilabel_accuracy(pred, gt, mask, 2), 0.5, 1e-12);
}

TEST(TrainingAccuracy, HeatmapsFoundWithinATwentieth) {
  const Tensor target = Tensor::zeros(Shape{1, 3, 40, 30});
  const Tensor output = Tensor::zeros(Shape{1, 3, 40, 30});
  const auto peak = [](const Tensor& maps, int64_t k, int64_t y, int64_t x) {
    maps.data<float>()[(k * 40 + y) * 30 + x] = 1;
  };
  peak(target, 0, 20, 10), peak(output, 0, 20, 11);  // 1 / 40 away
  peak(target, 1, 20, 10), peak(output, 1, 20, 13);  // 3 / 40 away
  peak(target, 2, 20, 10), peak(output, 2, 0, 0);    // without weight
  const Tensor weight = Tensor::from(std::vector<float>{1, 1, 0}, Shape{1, 3});
  EXPECT_NEAR(pose_pck_accuracy(output, target, weight), 0.5, 1e-12);
  EXPECT_EQ(pose_pck_accuracy(output, target, Tensor::zeros(Shape{1, 3})), 0);
}

TEST(TrainingAccuracy, SimccBinsAreFractionsOfPixels) {
  const Tensor x = Tensor::zeros(Shape{1, 2, 80}), y = Tensor::zeros(Shape{1, 2, 80});
  const Tensor tx = Tensor::zeros(Shape{1, 2, 80}), ty = Tensor::zeros(Shape{1, 2, 80});
  for (int64_t k = 0; k < 2; ++k) {
    x.data<float>()[k * 80 + (k == 0 ? 43 : 44)] = 1;  // 1.5 and 2 pixels of 40 away
    tx.data<float>()[k * 80 + 40] = 1;
    y.data<float>()[k * 80 + 8] = ty.data<float>()[k * 80 + 8] = 1;
  }
  const Tensor weight = Tensor::full(Shape{1, 2}, 1);
  EXPECT_NEAR(simcc_pck_accuracy(x, y, tx, ty, 2, weight), 0.5, 1e-12);
}

TEST(Nms, BoxesAndPoses) {
  const std::vector<float> boxes = {0, 0, 10, 10, 0, 0, 10, 9, 20, 20, 30, 30};
  const std::vector<float> scores = {.5f, .9f, .1f};
  EXPECT_EQ(continuous_box_nms(boxes, scores, .65), (std::vector<int>{1, 2}));
  EXPECT_EQ(nms_groups(boxes, scores, .65), (std::vector<std::vector<int>>{{1, 0}, {2}}));
  OksOptions one;
  one.sigmas = {.1};
  const std::vector<PoseCandidate> poses = {
      {{0, 0, 1}, .2, 100}, {{0, 0, 1}, .8, 100}, {{90, 0, 1}, .5, 100}};
  EXPECT_EQ(oks_nms(poses, .9, one), (std::vector<int>{1, 2}));
  EXPECT_EQ(soft_oks_nms(poses, .9, 20, one), (std::vector<int>{1, 2, 0}));
  EXPECT_EQ(soft_oks_nms(poses, .9, 1, one), std::vector<int>{1});
  // All joints of a pose without extent coincide; it still suppresses itself only.
  EXPECT_EQ(nearby_joints_nms(std::vector<double>{5, 5, 5, 5}, std::vector<double>{.3}, 2),
            std::vector<int>{0});
  EXPECT_TRUE(oks_nms({}, .9).empty());
}

}  // namespace
}  // namespace limber
