// COCO-style metrics: from samples to poses, files and the ten (or nine) numbers.
#include "pose/metrics/coco_metric.h"

#include <algorithm>
#include <cmath>

#include "pose/core/keypoint_metrics.h"
#include "pose/core/nms.h"
#include "pose/metrics/metrics.h"
#include "tensor/error.h"

namespace limber {
namespace {

template <class Value>
struct Choice {
  const char* name;
  Value value;
};

template <class Value, size_t count>
Value choose(const Config& config, const char* key, const char* fallback,
             const Choice<Value> (&choices)[count]) {
  const std::string name = config.get<std::string>(key, fallback);
  std::vector<std::string> known;
  for (const Choice<Value>& choice : choices) {
    if (name == choice.name) return choice.value;
    known.push_back(choice.name);
  }
  fail_input(config.path(), ".", key, ": unknown value \"", name, "\"", did_you_mean(name, known));
}

using Score = CocoMetricOptions::Score;
using Nms = CocoMetricOptions::Nms;

constexpr Choice<Score> kScores[] = {{"bbox", Score::bbox},
                                     {"keypoint", Score::keypoint},
                                     {"bbox_keypoint", Score::bbox_keypoint},
                                     {"bbox_rle", Score::bbox_rle}};
constexpr Choice<Nms> kNms[] = {
    {"none", Nms::none}, {"oks_nms", Nms::oks}, {"soft_oks_nms", Nms::soft_oks}};
constexpr Choice<bool> kCrowd[] = {{"keypoints", false}, {"keypoints_crowd", true}};

std::vector<double> optional_values(const Tensor& tensor) {
  return tensor ? to_doubles(tensor) : std::vector<double>();
}

std::vector<double> optional_values(const TensorLists& lists, std::string_view name) {
  const auto found = lists.find(name);
  return found == lists.end() || found->second.empty() ? std::vector<double>()
                                                       : optional_values(found->second[0]);
}

// Box scores of N predictions: predicted, else the samples' own, else 1.
std::vector<double> box_scores(const DataSample& sample, size_t N) {
  std::vector<double> predicted = optional_values(sample.pred_instances.more, "bbox_scores");
  if (predicted.empty()) predicted = optional_values(sample.pred_instances.bbox_scores);
  if (predicted.size() == N) return predicted;
  std::vector<double> own = optional_values(sample.gt_instances.bbox_scores);
  return own.size() == N ? own : std::vector<double>(N, 1.0);
}

}  // namespace

CocoMetricOptions read_coco_options(const Config& config, const DatasetMeta& meta, bool has_area) {
  CocoMetricOptions out;
  out.ann_file = config.get<std::string>("ann_file", meta.ann_file);
  if (has_area) {
    out.use_area = config.get<bool>("use_area", true);
    out.crowd = choose(config, "iou_type", "keypoints", kCrowd);
  }
  out.score = choose(config, "score_mode", "bbox_keypoint", kScores);
  out.keypoint_score_above = config.get<double>("keypoint_score_thr", 0.2);
  out.nms = choose(config, "nms_mode", "oks_nms", kNms);
  out.nms_threshold = config.get<double>("nms_thr", 0.9);
  out.format_only = config.get<bool>("format_only", false);
  out.outfile_prefix = config.get<std::string>("outfile_prefix", "");
  if (config.has("gt_converter")) out.gt_mapping = read_keypoint_mapping(config.at("gt_converter"));
  if (config.has("pred_converter"))
    out.pred_mapping = read_keypoint_mapping(config.at("pred_converter"));
  check_input(!out.format_only || !out.outfile_prefix.empty(), config.path(),
              ": format_only writes files and needs outfile_prefix");
  return out;
}

CocoMetric::CocoMetric(CocoMetricOptions options, const DatasetMeta& meta, bool whole_body)
    : options_(std::move(options)), meta_(meta), whole_body_(whole_body) {
  if (options_.gt_mapping) {
    meta_.sigmas = options_.gt_mapping->sigmas(meta.sigmas);
    meta_.num_keypoints = options_.gt_mapping->num_keypoints;
  }
  check_input(int(meta_.sigmas.size()) == meta_.num_keypoints, "CocoMetric: ", meta_.sigmas.size(),
              " sigmas for the ", meta_.num_keypoints, " key points of \"", meta_.dataset_name,
              "\"");
  check_input(!whole_body_ || meta_.num_keypoints == kWholeBodyPoints,
              "CocoWholeBodyMetric: ", meta_.num_keypoints, " key points, need 133");
}

void CocoMetric::process(std::span<const DataSample> samples) {
  for (const DataSample& sample : samples) {
    add_poses(sample);
    if (options_.ann_file.empty()) add_truth(sample);
  }
}

void CocoMetric::add_poses(const DataSample& sample) {
  const int64_t image = sample.meta.img_id;
  const auto [entry, fresh] = position_.try_emplace(image, poses_.size());
  if (fresh) poses_.push_back({image, {}});
  const Instances& pred = sample.pred_instances;
  if (!pred.keypoints || pred.keypoints.numel() == 0) return;
  const Points points = to_points(pred.keypoints);
  const std::vector<double> scores = to_doubles(required(pred.keypoint_scores, "keypoint_scores"));
  check_input(int64_t(scores.size()) == points.N * points.K, "CocoMetric: key points ",
              pred.keypoints.shape(), " with scores ", pred.keypoint_scores.shape());
  const std::vector<double> box_score = box_scores(sample, size_t(points.N));
  const std::vector<double> boxes = optional_values(pred.bboxes);
  const std::vector<double> scales = optional_values(sample.gt_instances.more, "bbox_scales");
  for (int64_t n = 0; n < points.N; ++n) {
    Pose pose;
    pose.id = sample.meta.id;
    pose.index = int(n);
    pose.category_id = sample.meta.category_id;
    pose.box_score = box_score[size_t(n)];
    for (int64_t k = 0; k < points.K; ++k)
      pose.keypoints.insert(pose.keypoints.end(), {points.at(n, k, 0), points.at(n, k, 1),
                                                   scores[size_t(n * points.K + k)]});
    if (options_.pred_mapping)
      pose.keypoints = options_.pred_mapping->points(pose.keypoints, points.K, 3);
    const size_t at = size_t(n);
    if (boxes.size() == size_t(points.N) * 4)
      pose.bbox = {boxes[4 * at], boxes[4 * at + 1], boxes[4 * at + 2] - boxes[4 * at],
                   boxes[4 * at + 3] - boxes[4 * at + 1]};
    pose.area = scales.size() == size_t(points.N) * 2 ? scales[2 * at] * scales[2 * at + 1]
                                                      : box_area_of_points(pose.keypoints);
    poses_[entry->second].second.push_back(std::move(pose));
  }
}

void CocoMetric::add_truth(const DataSample& sample) {
  const SampleMeta& meta = sample.meta;
  if (known_images_.try_emplace(meta.img_id, 0).second)
    collected_.images.push_back(
        {meta.img_id, meta.ori_shape[1], meta.ori_shape[0], meta.crowd_index});
  for (const auto& raw : meta.raw_annotations) {
    check_input(raw != nullptr, "CocoMetric: a sample of image ", meta.img_id,
                " has no annotation; give the metric an ann_file");
    if (!known_annotations_.try_emplace(raw->id, 0).second) continue;
    RawAnnotation ann = *raw;
    ann.image_id = meta.img_id;
    collected_.annotations.push_back(std::make_shared<const RawAnnotation>(std::move(ann)));
  }
}

double CocoMetric::score_of(const Pose& pose) const {
  const size_t K = pose.keypoints.size() / 3;
  double sum = 0, above = 0, highest = 0;
  int count = 0;
  for (size_t k = 0; k < K; ++k) {
    const double score = pose.keypoints[3 * k + 2];
    sum += score;
    highest = k == 0 ? score : std::max(highest, score);
    // Predicted scores are single precision; so is the threshold they meet.
    if (float(score) > float(options_.keypoint_score_above)) above += score, ++count;
  }
  const double mean = K == 0 ? 0 : sum / double(K);
  switch (options_.score) {
    case Score::bbox:
      return pose.box_score;
    case Score::keypoint:
      return mean;
    case Score::bbox_rle:
      return pose.box_score + mean + highest;
    case Score::bbox_keypoint:
      break;
  }
  return count == 0 ? 0 : pose.box_score * (above / count);
}

void CocoMetric::suppress(std::vector<Pose>& poses) const {
  if (options_.nms == Nms::none) return;
  OksOptions oks;
  oks.sigmas.assign(meta_.sigmas.begin(), meta_.sigmas.end());
  std::vector<PoseCandidate> candidates;
  for (const Pose& pose : poses) candidates.push_back({pose.keypoints, pose.score, pose.area});
  const std::vector<int> keep = options_.nms == Nms::oks
                                    ? oks_nms(candidates, options_.nms_threshold, oks)
                                    : soft_oks_nms(candidates, options_.nms_threshold, 20, oks);
  std::vector<Pose> kept;
  for (int i : keep) kept.push_back(std::move(poses[size_t(i)]));
  poses = std::move(kept);
}

std::vector<std::pair<int64_t, std::vector<CocoMetric::Pose>>> CocoMetric::final_poses() const {
  auto out = poses_;
  for (auto& [image, poses] : out) {
    // One pose per annotation: samplers repeat samples to fill a batch. Poses of a whole image
    // have no such id.
    const auto before = [](const Pose& a, const Pose& b) {
      return std::pair(a.id, a.index) < std::pair(b.id, b.index);
    };
    const auto same = [](const Pose& a, const Pose& b) {
      return a.id == b.id && a.index == b.index;
    };
    if (!poses.empty() && poses.front().id >= 0) {
      std::stable_sort(poses.begin(), poses.end(), before);
      poses.erase(std::unique(poses.begin(), poses.end(), same), poses.end());
    }
    for (Pose& pose : poses) pose.score = score_of(pose);
    suppress(poses);
  }
  return out;
}

std::vector<CocoResult> CocoMetric::results() const {
  std::vector<CocoResult> out;
  for (auto& [image, poses] : final_poses())
    for (Pose& pose : poses)
      out.push_back({image, pose.category_id, pose.score, std::move(pose.keypoints),
                     whole_body_ ? std::nullopt : pose.bbox});
  return out;
}

CocoGroundTruth CocoMetric::mapped(const CocoGroundTruth& truth) const {
  CocoGroundTruth out = truth;
  if (options_.gt_mapping)
    for (auto& ann : out.annotations)
      ann = std::make_shared<const RawAnnotation>(options_.gt_mapping->annotation(*ann));
  return out;
}

// The evaluation of the points begin ... end - 1 alone.
MetricValues CocoMetric::evaluate(const CocoGroundTruth& truth,
                                  const std::vector<CocoResult>& results, int begin,
                                  int end) const {
  std::vector<CocoDetection> detections;
  for (const CocoResult& result : results)
    detections.push_back(detection_of(result, begin, end, whole_body_));
  CocoEvalOptions options;
  options.sigmas.assign(meta_.sigmas.begin() + begin, meta_.sigmas.begin() + end);
  options.use_area = options_.use_area;
  options.crowd = options_.crowd;
  return coco_evaluate(truth_of_part(truth, begin, end), detections, options);
}

MetricValues CocoMetric::values() {
  details_.clear();
  if (options_.ann_file.empty()) {
    collected_.categories.clear();
    for (const auto& [id, name] : meta_.categories) collected_.categories.emplace_back(id, name);
    if (collected_.categories.empty()) collected_.categories.emplace_back(1, "person");
    for (const auto& ann : collected_.annotations)
      check_input(std::any_of(collected_.categories.begin(), collected_.categories.end(),
                              [&](const auto& c) { return c.first == ann->category_id; }),
                  "CocoMetric: annotation ", ann->id, " has category ", ann->category_id,
                  ", which the data set does not name");
    if (!options_.outfile_prefix.empty())
      write_coco_truth(options_.outfile_prefix + ".gt.json", collected_, whole_body_);
    truth_ = std::make_shared<const CocoGroundTruth>(mapped(collected_));
  } else if (!truth_) {
    truth_ = std::make_shared<const CocoGroundTruth>(
        mapped(read_coco_truth(options_.ann_file, whole_body_)));
  }
  const std::vector<CocoResult> found = results();
  if (!options_.outfile_prefix.empty())
    write_coco_results(options_.outfile_prefix + ".keypoints.json", found, whole_body_);
  if (options_.format_only) return {};
  if (whole_body_)
    for (const BodyPart& part : kBodyParts)
      details_.emplace_back(part.name, evaluate(*truth_, found, part.begin, part.end));
  return evaluate(*truth_, found, 0, meta_.num_keypoints);
}

void CocoMetric::forget() {
  poses_.clear();
  position_.clear();
  collected_ = {};
  known_images_.clear();
  known_annotations_.clear();
}

std::unique_ptr<Metric> make_coco_metric(const Config& config, const DatasetMeta& meta) {
  return std::make_unique<CocoMetric>(read_coco_options(config, meta), meta, false);
}

std::unique_ptr<Metric> make_coco_wholebody_metric(const Config& config, const DatasetMeta& meta) {
  return std::make_unique<CocoMetric>(read_coco_options(config, meta), meta, true);
}

}  // namespace limber
