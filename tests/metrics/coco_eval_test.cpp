// The COCO evaluation on cases small enough to work out by hand.
#include "pose/metrics/coco_eval.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>

#include "tensor/error.h"

namespace limber {
namespace {

// Three key points around a corner, visible with `v`; box 50 x 100 at (x, 0), area 2500 (medium).
std::shared_ptr<RawAnnotation> annotation(int64_t id, int64_t image, double x, double v = 2) {
  auto ann = std::make_shared<RawAnnotation>();
  ann->id = id;
  ann->image_id = image;
  ann->area = 2500;
  ann->bbox = {x, 0, 50, 100};
  ann->keypoints = {x + 10, 10, v, x + 20, 50, v, x + 30, 90, v};
  ann->num_keypoints = v > 0 ? 3 : 0;
  return ann;
}

CocoDetection detection(const RawAnnotation& ann, double score, double shift = 0) {
  CocoDetection out{ann.image_id, 1, score, ann.area, ann.keypoints};
  for (size_t i = 0; i < out.keypoints.size(); i += 3) {
    out.keypoints[i] += shift;
    out.keypoints[i + 2] = 1;
  }
  return out;
}

CocoGroundTruth truth(std::vector<std::shared_ptr<RawAnnotation>> annotations) {
  CocoGroundTruth out;
  out.categories = {{1, "person"}};
  for (const auto& ann : annotations) {
    out.images.push_back({ann->image_id, 640, 480, 0});
    out.annotations.push_back(ann);
  }
  return out;
}

std::map<std::string, double> evaluate(const CocoGroundTruth& gt,
                                       const std::vector<CocoDetection>& found,
                                       bool crowd = false) {
  CocoEvalOptions options;
  options.sigmas = {0.05, 0.05, 0.05};
  options.crowd = crowd;
  const auto values = coco_evaluate(gt, found, options);
  return {values.begin(), values.end()};
}

TEST(CocoEval, PerfectPredictionsGiveOne) {
  const auto a = annotation(1, 1, 0), b = annotation(2, 1, 300), c = annotation(3, 2, 0);
  const auto got =
      evaluate(truth({a, b, c}), {detection(*a, .9), detection(*b, .8), detection(*c, .7)});
  for (const char* key : {"AP", "AP .5", "AP .75", "AP (M)", "AR", "AR .5", "AR .75", "AR (M)"})
    EXPECT_NEAR(got.at(key), 1, 1e-12) << key;
  EXPECT_EQ(got.at("AP (L)"), -1);
  EXPECT_EQ(got.at("AR (L)"), -1);
}

TEST(CocoEval, NoPredictionGivesZero) {
  const auto got = evaluate(truth({annotation(1, 1, 0)}), {});
  EXPECT_EQ(got.at("AP"), 0);
  EXPECT_EQ(got.at("AR"), 0);
}

TEST(CocoEval, NothingToFindGivesMinusOne) {
  const auto ann = annotation(1, 1, 0, /*v=*/0);
  const auto got = evaluate(truth({ann}), {});
  EXPECT_EQ(got.at("AP"), -1);
  EXPECT_EQ(got.at("AR"), -1);
}

// The annotation that the second detection misses leaves recall at 1/2: precision is 1 at the 51
// recall thresholds 0 ... 0.5 and 0 above.
TEST(CocoEval, HalfTheRecallIsFiftyOneOfAHundredAndOne) {
  const auto a = annotation(1, 1, 0), b = annotation(2, 2, 0);
  const auto got = evaluate(truth({a, b}), {detection(*a, .9)});
  EXPECT_NEAR(got.at("AP"), 51.0 / 101, 1e-12);
  EXPECT_NEAR(got.at("AR"), 0.5, 1e-12);
}

// A second detection of the same person is a false positive: harmless when it scores lower than
// all true ones, costly when it comes between.
TEST(CocoEval, DuplicateIsAFalsePositive) {
  const auto a = annotation(1, 1, 0), b = annotation(2, 2, 0);
  const std::vector<CocoDetection> late = {detection(*a, .9), detection(*b, .8), detection(*a, .7)};
  EXPECT_NEAR(evaluate(truth({a, b}), late).at("AP"), 1, 1e-12);
  const std::vector<CocoDetection> between = {detection(*a, .9), detection(*a, .8),
                                              detection(*b, .7)};
  // Precisions 1, 1/2, 2/3; monotone 1, 2/3, 2/3: 51 thresholds at 1 and 50 at 2/3.
  EXPECT_NEAR(evaluate(truth({a, b}), between).at("AP"), (51 + 50 * 2.0 / 3) / 101, 1e-12);
}

TEST(CocoEval, CrowdsAndUnlabelledPeopleTakeDetectionsWithoutCounting) {
  const auto a = annotation(1, 1, 0);
  const auto crowd = annotation(2, 1, 300);
  crowd->iscrowd = true;
  const auto unlabelled = annotation(3, 1, 500, /*v=*/0);
  // Two detections on the crowd, one inside the unlabelled person's box, all above the true one.
  const std::vector<CocoDetection> found = {detection(*crowd, .99), detection(*crowd, .98),
                                            detection(*unlabelled, .97), detection(*a, .5)};
  const auto got = evaluate(truth({a, crowd, unlabelled}), found);
  EXPECT_NEAR(got.at("AP"), 1, 1e-12);
  // Without those annotations the three are false positives: precision 1/4 throughout.
  EXPECT_NEAR(evaluate(truth({a}), found).at("AP"), 0.25, 1e-12);
}

// One labelled point d pixels away: OKS = exp(-d^2 / (2 (2 sigma)^2 area)). With d = 4, sigma .05
// and area 2500 that is exp(-16 / 50) = 0.726: found at thresholds .5 ... .7, five of ten.
TEST(CocoEval, ThresholdsFollowTheOks) {
  const auto a = annotation(1, 1, 0);
  const auto got = evaluate(truth({a}), {detection(*a, .9, /*shift=*/4)});
  EXPECT_NEAR(got.at("AP"), 0.5, 1e-12);
  EXPECT_NEAR(got.at("AP .5"), 1, 1e-12);
  EXPECT_NEAR(got.at("AP .75"), 0, 1e-12);
}

TEST(CocoEval, TwentyDetectionsPerImageCount) {
  const auto a = annotation(1, 1, 0);
  std::vector<CocoDetection> found(20, detection(*a, .9, /*shift=*/400));
  found.push_back(detection(*a, .1));
  EXPECT_EQ(evaluate(truth({a}), found).at("AR"), 0);
  found.erase(found.begin());
  EXPECT_EQ(evaluate(truth({a}), found).at("AR"), 1);
}

TEST(CocoEval, PredictionsWithoutAnyScoredPointAreDropped) {
  const auto a = annotation(1, 1, 0);
  CocoDetection empty = detection(*a, .99);
  for (size_t i = 2; i < empty.keypoints.size(); i += 3) empty.keypoints[i] = 0;
  EXPECT_NEAR(evaluate(truth({a}), {empty, detection(*a, .5)}).at("AP"), 1, 1e-12);
}

TEST(CocoEval, CategoriesAreAveraged) {
  const auto a = annotation(1, 1, 0), b = annotation(2, 1, 300);
  b->category_id = 2;
  CocoGroundTruth gt = truth({a, b});
  gt.categories = {{1, "dog"}, {2, "cat"}, {3, "unseen"}};
  EXPECT_NEAR(evaluate(gt, {detection(*a, .9)}).at("AP"), 0.5, 1e-12);
}

TEST(CocoEval, CrowdPoseSplitsByTheImagesIndex) {
  const auto a = annotation(1, 1, 0), b = annotation(2, 2, 0);
  CocoGroundTruth gt = truth({a, b});
  gt.images[0].crowd_index = 0.1;
  gt.images[1].crowd_index = 0.8;
  const auto got = evaluate(gt, {detection(*a, .9)}, /*crowd=*/true);
  EXPECT_EQ(got.size(), 9u);
  EXPECT_NEAR(got.at("AP(E)"), 1, 1e-12);
  EXPECT_EQ(got.at("AP(M)"), -1);
  EXPECT_EQ(got.at("AP(H)"), 0);
}

// The size of COCO val2017 with a detector's 100 thousand boxes; seconds, not minutes.
TEST(CocoEval, WholeValidationSetIsQuick) {
  std::vector<std::shared_ptr<RawAnnotation>> people;
  std::vector<CocoDetection> found;
  for (int64_t i = 0; i < 6352; ++i) {
    people.push_back(annotation(i + 1, i % 2346, double(i / 2346) * 200));
    for (int j = 0; j < 16; ++j)
      found.push_back(detection(*people.back(), 1.0 / double(1 + (i * 16 + j) % 997), j % 7));
  }
  const auto begin = std::chrono::steady_clock::now();
  const auto got = evaluate(truth(people), found);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  EXPECT_GT(got.at("AP"), 0);
  EXPECT_LT(took.count(), 5) << "seconds";
}

TEST(CocoEval, RefusesWhatItCannotJudge) {
  const auto a = annotation(1, 1, 0);
  CocoDetection elsewhere = detection(*a, .9);
  elsewhere.image_id = 77;
  EXPECT_THROW(evaluate(truth({a}), {elsewhere}), InputError);
  a->area = 0;
  EXPECT_THROW(evaluate(truth({a}), {}), InputError);
}

}  // namespace
}  // namespace limber
