// What CocoMetric, CocoWholeBodyMetric and PoseTrack18Metric have in common: collecting, scoring
// and suppressing predicted poses.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pose/metrics/coco_files.h"
#include "pose/metrics/keypoint_mapping.h"
#include "pose/metrics/metric.h"

namespace limber {

struct CocoMetricOptions {
  enum class Score { bbox, keypoint, bbox_keypoint, bbox_rle };
  enum class Nms { none, oks, soft_oks };

  std::string ann_file;  // empty: the samples' own annotations
  bool use_area = true, crowd = false, format_only = false;
  Score score = Score::bbox_keypoint;
  double keypoint_score_above = 0.2;
  Nms nms = Nms::oks;
  double nms_threshold = 0.9;
  std::string outfile_prefix;  // empty: no files are written
  std::optional<KeypointMapping> gt_mapping, pred_mapping;
};
// Reads the parameters that the three types share; `has_area` is false where use_area and iou_type
// do not exist.
CocoMetricOptions read_coco_options(const Config& config, const DatasetMeta& meta,
                                    bool has_area = true);

class CocoMetric : public Metric {
 public:
  CocoMetric(CocoMetricOptions options, const DatasetMeta& meta, bool whole_body);
  void process(std::span<const DataSample> samples) override;
  std::vector<std::pair<std::string, MetricValues>> details() const override { return details_; }

 protected:
  struct Pose {
    int64_t id = -1;  // of the annotation or detection it was predicted from; -1: of none
    int index = 0;    // among the poses of its sample
    int64_t category_id = 1;
    std::vector<double> keypoints;  // (K, 3), after pred_mapping
    double box_score = 1, area = 0, score = 0;
    std::optional<std::array<double, 4>> bbox;  // x, y, width, height
  };

  MetricValues values() override;
  void forget() override;
  // Scored, without duplicates, after suppression; by image in the order of first appearance.
  std::vector<std::pair<int64_t, std::vector<Pose>>> final_poses() const;
  std::vector<CocoResult> results() const;

  CocoMetricOptions options_;
  DatasetMeta meta_;

 private:
  std::vector<std::pair<int64_t, std::vector<Pose>>> poses_;  // by image
  std::map<int64_t, size_t> position_;                        // of an image in poses_
  CocoGroundTruth collected_;                                 // from the samples' annotations
  std::map<int64_t, size_t> known_images_, known_annotations_;
  std::shared_ptr<const CocoGroundTruth> truth_;  // after gt_mapping; an ann_file is read once
  std::vector<std::pair<std::string, MetricValues>> details_;
  bool whole_body_;

  void add_poses(const DataSample& sample);
  void add_truth(const DataSample& sample);
  double score_of(const Pose& pose) const;
  void suppress(std::vector<Pose>& poses) const;
  CocoGroundTruth mapped(const CocoGroundTruth& truth) const;
  MetricValues evaluate(const CocoGroundTruth& truth, const std::vector<CocoResult>& results,
                        int begin, int end) const;
};

}  // namespace limber
