// Metric classes: what they collect, the files they write, configs they refuse.
#include "pose/metrics/metric.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "pose/metrics/coco_files.h"
#include "tensor/error.h"
#include "tests/support/temp_folder.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

DatasetMeta two_points() {
  DatasetMeta meta;
  meta.dataset_name = "pair";
  meta.num_keypoints = 2;
  meta.sigmas = {.05f, .05f};
  return meta;
}

// One person at (x, 50), predicted `shift` pixels to the right.
DataSample person(int64_t id, int64_t image, float x, float shift = 0) {
  DataSample sample;
  sample.meta.id = id;
  sample.meta.img_id = image;
  sample.meta.dataset_name = "pair";
  sample.meta.ori_shape = {480, 640};
  auto ann = std::make_shared<RawAnnotation>();
  ann->id = id;
  ann->image_id = image;
  ann->area = 2500;
  ann->num_keypoints = 2;
  ann->bbox = {x - 10, 0, 60, 100};
  ann->keypoints = {x, 50, 2, x + 40, 80, 2};
  sample.meta.raw_annotations = {ann};
  Instances &gt = sample.gt_instances, &pred = sample.pred_instances;
  gt.keypoints = Tensor::from(std::vector<float>{x, 50, x + 40, 80}, Shape{1, 2, 2});
  gt.keypoints_visible = Tensor::full(Shape{1, 2}, 1);
  gt.bboxes = Tensor::from(std::vector<float>{x - 10, 0, x + 50, 100}, Shape{1, 4});
  gt.bbox_scores = Tensor::full(Shape{1}, 1);
  pred.keypoints =
      Tensor::from(std::vector<float>{x + shift, 50, x + 40 + shift, 80}, Shape{1, 2, 2});
  pred.keypoint_scores = Tensor::full(Shape{1, 2}, .9);
  pred.bboxes = gt.bboxes;
  return sample;
}

std::map<std::string, double> run(const std::string& config, const std::vector<DataSample>& samples,
                                  const DatasetMeta& meta = two_points()) {
  const auto metric = make_metric(Config::parse(config), meta);
  metric->process(samples);
  const MetricValues values = metric->compute();
  return {values.begin(), values.end()};
}

TEST(CocoMetric, JudgesByTheSamplesOwnAnnotations) {
  const auto got = run(R"({"type": "CocoMetric"})", {person(1, 1, 20), person(2, 1, 300)});
  EXPECT_NEAR(got.at("coco/AP"), 1, 1e-12);
  EXPECT_NEAR(got.at("coco/AR"), 1, 1e-12);
}

TEST(CocoMetric, CountsARepeatedSampleOnce) {
  const auto once = run(R"({"type": "CocoMetric", "nms_mode": "none", "prefix": ""})",
                        {person(1, 1, 20), person(2, 2, 20, 4), person(1, 1, 20)});
  const auto twice = run(R"({"type": "CocoMetric", "nms_mode": "none", "prefix": ""})",
                         {person(1, 1, 20), person(2, 2, 20, 4)});
  EXPECT_EQ(once, twice);
}

TEST(CocoMetric, ForgetsAfterCompute) {
  const auto metric = make_metric(Config::parse(R"({"type": "CocoMetric"})"), two_points());
  metric->process(std::vector<DataSample>{person(1, 1, 20, 400)});
  EXPECT_NEAR(metric->compute()[0].second, 0, 1e-12);
  metric->process(std::vector<DataSample>{person(1, 1, 20)});
  EXPECT_NEAR(metric->compute()[0].second, 1, 1e-12);
}

TEST(CocoMetric, WritesResultsAndAnnotationsThatReadBack) {
  const TempFolder folder;
  const std::string prefix = folder.path("deep/run");
  const std::string head = R"({"type": "CocoMetric", "outfile_prefix": ")" + prefix + "\"";
  EXPECT_TRUE(run(head + R"(, "format_only": true})", {person(1, 1, 20)}).empty());
  EXPECT_TRUE(fs::exists(prefix + ".keypoints.json"));
  const CocoGroundTruth truth = read_coco_truth(prefix + ".gt.json");
  ASSERT_EQ(truth.annotations.size(), 1u);
  EXPECT_EQ(truth.annotations[0]->keypoints, (std::vector<double>{20, 50, 2, 60, 80, 2}));
  EXPECT_EQ(truth.annotations[0]->area, 2500);
  EXPECT_EQ(truth.images[0].width, 640);
  const Config results = [&] {
    std::ifstream in(prefix + ".keypoints.json");
    return Config::parse(std::string(std::istreambuf_iterator<char>(in), {}));
  }();
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results.at(size_t(0)).get<std::vector<double>>("bbox"),
            (std::vector<double>{10, 0, 60, 100}));
  EXPECT_NEAR(results.at(size_t(0)).get<double>("score"), .9, 1e-6);
  const std::vector<CocoResult> back = read_coco_results(prefix + ".keypoints.json");
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(back[0].image_id, 1);
  EXPECT_EQ(back[0].bbox, (std::array<double, 4>{10, 0, 60, 100}));
  EXPECT_EQ(back[0].keypoints.size(), 6u);
  // The written annotations serve as an ann_file.
  const auto got =
      run(R"({"type": "CocoMetric", "ann_file": ")" + prefix + ".gt.json\"}", {person(1, 1, 20)});
  EXPECT_NEAR(got.at("coco/AP"), 1, 1e-12);
}

TEST(CocoMetric, ConvertsKeyPoints) {
  // Predictions of two points, truth of three whose points 2 and 0 are the same ones.
  DatasetMeta meta = two_points();
  DataSample sample = person(1, 1, 20);
  auto ann = std::make_shared<RawAnnotation>(*sample.meta.raw_annotations[0]);
  ann->keypoints = {60, 80, 2, 0, 0, 2, 20, 50, 2};
  sample.meta.raw_annotations = {ann};
  meta.num_keypoints = 3;
  meta.sigmas = {.05f, .05f, .05f};
  const std::string converter = R"({"type": "KeypointConverter", "num_keypoints": 2, "mapping": )";
  const auto got =
      run(R"({"type": "CocoMetric", "gt_converter": )" + converter +
              R"([[2, 0], [0, 1]]}, "pred_converter": )" + converter + R"([[0, 0], [1, 1]]}})",
          {sample}, meta);
  EXPECT_NEAR(got.at("coco/AP"), 1, 1e-12);
}

TEST(CocoMetric, RefusesBadConfigs) {
  for (const char* config :
       {R"({"type": "CocoMetric", "format_only": true})",
        R"({"type": "CocoMetric", "nms_thrr": 1})",
        R"({"type": "CocoMetric", "score_mode": "best"})", R"({"type": "CocoMetrik"})",
        R"({"type": "PCKAccuracy", "norm_item": "foot"})", R"({"type": "MPJPE", "mode": "q"})",
        R"({"type": "PoseTrack18Metric"})", R"({"type": "NME", "norm_mode": "keypoint_distance"})"})
    EXPECT_THROW(make_metric(Config::parse(config), two_points()), InputError) << config;
  DatasetMeta bare = two_points();
  bare.sigmas.clear();
  EXPECT_THROW(make_metric(Config::parse(R"({"type": "CocoMetric"})"), bare), InputError);
}

TEST(PckMetric, NormalisesByTheLongerSideOfTheBox) {
  // 9 and 11 pixels off, boxes 60 x 100.
  const std::vector<DataSample> samples = {person(1, 1, 20, 9), person(2, 1, 20, 11)};
  EXPECT_NEAR(run(R"({"type": "PCKAccuracy", "thr": 0.1})", samples).at("PCK"), .5, 1e-12);
  EXPECT_NEAR(run(R"({"type": "EPE"})", samples).at("EPE"), 10, 1e-5);
}

TEST(PartitionMetric, JudgesEachPartByItself) {
  DataSample sample = person(1, 1, 20);
  sample.pred_instances.keypoints.data<float>()[2] += 300;  // the second point
  const std::string parts = R"(, "partitions": {"first": [0], "second": [1], "both": [0, 1]}})";
  const auto pck = run(
      R"({"type": "KeypointPartitionMetric", "metric": {"type": "PCKAccuracy"})" + parts, {sample});
  EXPECT_EQ(pck.at("first/PCK"), 1);
  EXPECT_EQ(pck.at("second/PCK"), 0);
  EXPECT_EQ(pck.at("both/PCK"), .5);
  const auto coco = run(
      R"({"type": "KeypointPartitionMetric", "metric": {"type": "CocoMetric", "ann_file": "none.json"})" +
          parts,
      {sample});
  EXPECT_NEAR(coco.at("first/coco/AP"), 1, 1e-12);
  EXPECT_NEAR(coco.at("second/coco/AP"), 0, 1e-12);
}

TEST(Evaluator, GivesEachDatasetItsMetric) {
  const Config config = Config::parse(R"({"type": "MultiDatasetEvaluator",
      "metrics": [{"type": "EPE", "prefix": "a"}, {"type": "EPE", "prefix": "b"}],
      "datasets": [{"type": "pair"}, {"type": "other"}]})");
  Evaluator evaluator(config, two_points(), [](const Config& dataset) {
    DatasetMeta meta = two_points();
    meta.dataset_name = dataset.type();
    return meta;
  });
  DataSample other = person(2, 2, 20, 8);
  other.meta.dataset_name = "other";
  evaluator.process(std::vector<DataSample>{person(1, 1, 20, 2), other});
  const MetricValues got = evaluator.compute();
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].first, "a/EPE");
  EXPECT_NEAR(got[0].second, 2, 1e-5);
  EXPECT_NEAR(got[1].second, 8, 1e-5);
}

TEST(Evaluator, RefusesTwoNumbersOfOneName) {
  Evaluator evaluator(Config::parse(R"([{"type": "EPE"}, {"type": "EPE"}])"), two_points());
  evaluator.process(std::vector<DataSample>{person(1, 1, 20)});
  EXPECT_THROW(evaluator.compute(), InputError);
}

// Two labelled people of one frame, heads of 30 x 40 pixels (head size 30); a third in an ignored
// region.
constexpr const char* kPoseTrackHead = R"({"images": [{"id": 5, "file_name":
    "images/val/video_a/000000.jpg", "width": 900, "height": 500,
    "ignore_regions_x": [[800, 900, 900, 800]], "ignore_regions_y": [[0, 0, 500, 500]]}],
    "categories": [{"id": 1, "name": "person"}], "annotations": [)";

std::vector<double> track_points(double x) {
  std::vector<double> out;
  for (int k = 0; k < 17; ++k) {
    const bool ear = k == 3 || k == 4;
    out.insert(out.end(), {ear ? 0 : x + k, ear ? 0 : 20.0 * k, ear ? 0.0 : 1.0});
  }
  return out;
}

DataSample tracked(int64_t id, double x, float score) {
  DataSample sample;
  sample.meta.id = id;
  sample.meta.img_id = 5;
  std::vector<float> points;
  const std::vector<double> all = track_points(x);
  for (size_t i = 0; i < all.size(); i += 3)
    points.insert(points.end(), {float(all[i]), float(all[i + 1])});
  sample.pred_instances.keypoints = Tensor::from(points, Shape{1, 17, 2});
  sample.pred_instances.keypoint_scores = Tensor::full(Shape{1, 17}, score);
  return sample;
}

TEST(PoseTrack18Metric, MatchesWithinHalfAHead) {
  const TempFolder folder;
  std::string text = kPoseTrackHead;
  for (int i = 0; i < 2; ++i) {
    text += (i ? ", " : "") + std::string(R"({"image_id": 5, "category_id": 1, "bbox_head":
        [0, 0, 30, 40], "id": )") +
            std::to_string(i + 1) + R"(, "keypoints": [)";
    for (double v : track_points(i * 300)) text += std::to_string(v) + ",";
    text.back() = ']';
    text += "}";
  }
  const std::string file = folder.write("truth_val.json", text + "]}");
  DatasetMeta meta;
  meta.num_keypoints = 17;
  meta.sigmas.assign(17, .05f);
  const std::string prefix = folder.path("out/run");
  const std::string config = R"({"type": "PoseTrack18Metric", "nms_mode": "none", "ann_file": ")" +
                             file + R"(", "outfile_prefix": ")" + prefix + "\"}";
  // 14 px off is found, 16 px is not; what lies in the ignored region does not count.
  const auto near =
      run(config, {tracked(1, 14, .9f), tracked(2, 300, .8f), tracked(3, 850, .99f)}, meta);
  EXPECT_NEAR(near.at("posetrack18/AP"), 100, 1e-9);
  EXPECT_NEAR(near.at("posetrack18/Head AP"), 100, 1e-9);
  EXPECT_TRUE(fs::exists(folder.path("out/video_a.json")));
  // The far one comes first: precisions 0 and 1/2, recall 1/2, so AP = 1/4.
  const auto far = run(config, {tracked(1, 16, .9f), tracked(2, 300, .8f)}, meta);
  EXPECT_NEAR(far.at("posetrack18/AP"), 25, 1e-9);
}

TEST(MpjpeMetric, SplitsByActionAndSkipsTakes) {
  const auto sample = [](const char* path, float off) {
    DataSample out;
    out.meta.target_img_path = path;
    out.gt_instances.more["lifting_target"] = {Tensor::zeros(Shape{1, 2, 3})};
    out.gt_instances.more["lifting_target_visible"] = {Tensor::full(Shape{1, 2}, 1)};
    out.pred_instances.keypoints = Tensor::zeros(Shape{1, 2, 3});
    for (int i : {0, 3}) out.pred_instances.keypoints.data<float>()[i] = off;
    return out;
  };
  const auto got = run(R"({"type": "MPJPE", "skip_list": ["S9_Waiting_1"]})",
                       {sample("a/S9_Waiting_1.54138969_000001.jpg", 100),
                        sample("a/S9_Waiting.54138969_000001.jpg", 2),
                        sample("a/S11_Eating_2.54138969_000001.jpg", 4)});
  EXPECT_NEAR(got.at("MPJPE"), 3, 1e-6);
  EXPECT_NEAR(got.at("MPJPE_Waiting"), 2, 1e-6);
  EXPECT_NEAR(got.at("MPJPE_Eating"), 4, 1e-6);
}

}  // namespace
}  // namespace limber
