// PCK (and its MPII and JHMDB forms), AUC, EPE and NME: metrics of 2-D distances.
#include <algorithm>
#include <cmath>
#include <map>

#include "pose/metrics/metrics.h"
#include "tensor/error.h"

namespace limber {
namespace {

// A norm item's two equal factors for each of the N instances of a sample.
using Factors = std::vector<double>;

double distance(const Points& points, int64_t n, int64_t a, int64_t b) {
  double square = 0;
  for (int64_t d = 0; d < 2; ++d) {
    const double difference = points.at(n, a, d) - points.at(n, b, d);
    square += difference * difference;
  }
  return std::sqrt(square);
}

// The longer side of each instance's true box.
std::vector<double> box_sides(const DataSample& sample) {
  const auto boxes = to_doubles(required(sample.gt_instances.bboxes, "gt_instances.bboxes"));
  std::vector<double> out;
  for (size_t i = 0; i < boxes.size(); i += 4)
    out.push_back(std::max(boxes[i + 2] - boxes[i], boxes[i + 3] - boxes[i + 1]));
  return out;
}

// The distance of points 4 and 5 (a JHMDB shoulder and hip): true, or predicted where the true
// ones coincide.
std::vector<double> torso_sizes(const DataSample& sample) {
  const Points gt = to_points(sample.gt_instances.keypoints);
  const Points pred = to_points(sample.pred_instances.keypoints);
  check_input(gt.K > 5, "PCK: ", gt.K, " key points have no torso, points 4 and 5");
  std::vector<double> out;
  for (int64_t n = 0; n < gt.N; ++n) {
    const double size = distance(gt, n, 4, 5);
    out.push_back(size < 1 ? distance(pred, n, 4, 5) : size);
  }
  return out;
}

std::vector<double> norm_sizes(const DataSample& sample, const std::string& item) {
  if (item == "bbox") return box_sides(sample);
  if (item == "torso") return torso_sizes(sample);
  return to_doubles(required(sample.gt_instances.more, "head_size", "gt_instances"));
}

class PckMetric : public Metric {
 public:
  PckMetric(const Config& config, double threshold, const std::string& item)
      : threshold_(config.get<double>("thr", threshold)),
        items_(names_of(config, "norm_item", item)) {
    for (const std::string& name : items_)
      check_input(name == "bbox" || name == "head" || name == "torso", config.path(),
                  ".norm_item: \"", name, "\" is none of bbox, head, torso");
  }

  void process(std::span<const DataSample> samples) override {
    for (const DataSample& sample : samples) {
      const int64_t before = points_.gt.N;
      points_.add(required(sample.pred_instances.keypoints, "pred_instances.keypoints"),
                  required(sample.gt_instances.keypoints, "gt_instances.keypoints"),
                  required(sample.gt_instances.keypoints_visible, "keypoints_visible"));
      for (const std::string& item : items_) {
        const std::vector<double> sizes = norm_sizes(sample, item);
        check_input(int64_t(sizes.size()) == points_.gt.N - before, "PCK: ", sizes.size(), " ",
                    item, " sizes for ", points_.gt.N - before, " instances");
        for (double size : sizes) factors_[item].insert(factors_[item].end(), {size, size});
      }
    }
  }

 protected:
  MetricValues values() override {
    points_.check_any("PCK");
    MetricValues out;
    for (const auto& [item, key] : {std::pair("bbox", "PCK"), {"head", "PCKh"}, {"torso", "tPCK"}})
      if (has(item)) out.emplace_back(key, accuracy(item, threshold_).average);
    return out;
  }
  void forget() override {
    points_ = {};
    factors_.clear();
  }
  bool has(const std::string& item) const {
    return std::find(items_.begin(), items_.end(), item) != items_.end();
  }
  PointAccuracy accuracy(const std::string& item, double threshold) const {
    return keypoint_pck_accuracy(points_.pred, points_.gt, points_.mask, threshold,
                                 factors_.at(item));
  }

  double threshold_;
  PointPairs points_;

 private:
  std::vector<std::string> items_;
  std::map<std::string, Factors> factors_;  // by norm item: (N, 2)
};

// A named mean of some joints' PCK.
struct JointGroup {
  const char* name;
  std::vector<size_t> joints;
};

double mean_of(const std::vector<double>& values, const std::vector<size_t>& joints) {
  double sum = 0;
  for (size_t joint : joints) sum += values.at(joint);
  return sum / double(joints.size());
}

// PCKh as MPII's own evaluation gives it (Andriluka et al. 2014): percent, predictions one pixel
// further (MPII counts from 1), pelvis and thorax left out, the mean weighted by annotated joints.
class MpiiPckMetric : public PckMetric {
 public:
  explicit MpiiPckMetric(const Config& config) : PckMetric(config, 0.5, "head") {
    check_input(has("head"), config.path(), ".norm_item: MPII's PCK is relative to the head");
  }

 protected:
  MetricValues values() override {
    points_.check_any("MpiiPCKAccuracy");
    check_input(points_.gt.K == 16, "MpiiPCKAccuracy: ", points_.gt.K, " key points, need 16");
    for (double& coordinate : points_.pred.values) coordinate += 1;
    const std::vector<double> weights = joint_weights();
    const std::vector<double> pck = accuracy("head", threshold_).per_keypoint;
    const std::vector<double> strict = accuracy("head", 0.1).per_keypoint;
    static const JointGroup kGroups[] = {{"Head PCK", {9}},       {"Shoulder PCK", {12, 13}},
                                         {"Elbow PCK", {11, 14}}, {"Wrist PCK", {10, 15}},
                                         {"Hip PCK", {2, 3}},     {"Knee PCK", {1, 4}},
                                         {"Ankle PCK", {0, 5}}};
    MetricValues out;
    for (const JointGroup& group : kGroups)
      out.emplace_back(group.name, 100 * mean_of(pck, group.joints));
    double total = 0, total_strict = 0;
    for (size_t k = 0; k < weights.size(); ++k) {
      total += 100 * pck[k] * weights[k];
      total_strict += 100 * strict[k] * weights[k];
    }
    out.emplace_back("PCK", total);
    out.emplace_back("PCK@0.1", total_strict);
    return out;
  }

 private:
  // The share of each joint among the annotated ones; 0 for pelvis and thorax.
  std::vector<double> joint_weights() const {
    std::vector<double> counts(16, 0.0);
    double all = 0;
    for (size_t i = 0; i < points_.mask.size(); ++i) {
      const size_t joint = i % 16;
      if (joint == 6 || joint == 7) continue;
      counts[joint] += points_.mask[i];
      all += points_.mask[i];
    }
    for (double& count : counts) count /= std::max(all, 1.0);
    return counts;
  }
};

class JhmdbPckMetric : public PckMetric {
 public:
  explicit JhmdbPckMetric(const Config& config) : PckMetric(config, 0.05, "bbox") {
    check_input(!has("head"), config.path(), ".norm_item: JHMDB's is bbox or torso");
  }

 protected:
  MetricValues values() override {
    points_.check_any("JhmdbPCKAccuracy");
    check_input(points_.gt.K == 15, "JhmdbPCKAccuracy: ", points_.gt.K, " key points, need 15");
    static const JointGroup kGroups[] = {{"Head", {2}},     {"Sho", {3, 4}}, {"Elb", {7, 8}},
                                         {"Wri", {11, 12}}, {"Hip", {5, 6}}, {"Knee", {9, 10}},
                                         {"Ank", {13, 14}}};
    MetricValues out;
    for (const auto& [item, key] : {std::pair("bbox", "PCK"), {"torso", "tPCK"}}) {
      if (!has(item)) continue;
      const PointAccuracy pck = accuracy(item, threshold_);
      for (const JointGroup& group : kGroups)
        out.emplace_back(str(group.name, " ", key), mean_of(pck.per_keypoint, group.joints));
      out.emplace_back(key, pck.average);
    }
    return out;
  }
};

class AucMetric : public Metric {
 public:
  explicit AucMetric(const Config& config)
      : factor_(config.get<double>("norm_factor", 30)),
        thresholds_(config.get<int>("num_thrs", 20)) {
    check_input(thresholds_ > 0, config.path(), ".num_thrs: ", thresholds_, ", need at least 1");
  }
  void process(std::span<const DataSample> samples) override {
    for (const DataSample& sample : samples)
      points_.add(required(sample.pred_instances.keypoints, "pred_instances.keypoints"),
                  required(sample.gt_instances.keypoints, "gt_instances.keypoints"),
                  required(sample.gt_instances.keypoints_visible, "keypoints_visible"));
  }

 protected:
  MetricValues values() override {
    points_.check_any("AUC");
    return {{"AUC", keypoint_auc(points_.pred, points_.gt, points_.mask, factor_, thresholds_)}};
  }
  void forget() override { points_ = {}; }

 private:
  double factor_;
  int thresholds_;
  PointPairs points_;
};

class EpeMetric : public Metric {
 public:
  void process(std::span<const DataSample> samples) override {
    for (const DataSample& sample : samples)
      points_.add(required(sample.pred_instances.keypoints, "pred_instances.keypoints"),
                  required(sample.gt_instances.keypoints, "gt_instances.keypoints"),
                  required(sample.gt_instances.keypoints_visible, "keypoints_visible"));
  }

 protected:
  MetricValues values() override {
    points_.check_any("EPE");
    return {{"EPE", keypoint_epe(points_.pred, points_.gt, points_.mask)}};
  }
  void forget() override { points_ = {}; }

 private:
  PointPairs points_;
};

// The pair of points (the outer or inner corners of the eyes, for most) whose distance normalises.
struct DistancePair {
  const char* dataset;
  int a, b;
};
constexpr DistancePair kDistancePairs[] = {
    {"horse10", 0, 1}, {"300w", 36, 45}, {"coco_wholebody_face", 36, 45},
    {"cofw", 8, 9},    {"wflw", 60, 72}, {"lapa", 66, 79}};

class NmeMetric : public Metric {
 public:
  NmeMetric(const Config& config, const DatasetMeta& meta) {
    const std::string mode = config.get<std::string>("norm_mode");
    item_ = config.get<std::string>("norm_item", "");
    if (mode == "use_norm_item") {
      check_input(!item_.empty(), config.path(), ": norm_mode use_norm_item needs norm_item");
      config.find("keypoint_indices");
      return;
    }
    check_input(mode == "keypoint_distance", config.path(), ".norm_mode: \"", mode,
                "\" is neither use_norm_item nor keypoint_distance");
    item_.clear();
    if (config.has("keypoint_indices")) {
      pair_ = config.get<std::vector<int>>("keypoint_indices");
    } else {
      for (const DistancePair& row : kDistancePairs)
        if (meta.dataset_name == row.dataset) pair_ = {row.a, row.b};
    }
    check_input(pair_.size() == 2, config.path(), ".keypoint_indices: needed, since \"",
                meta.dataset_name, "\" has no default pair of points");
  }

  void process(std::span<const DataSample> samples) override {
    for (const DataSample& sample : samples) {
      const int64_t before = points_.gt.N;
      points_.add(required(sample.pred_instances.keypoints, "pred_instances.keypoints"),
                  required(sample.gt_instances.keypoints, "gt_instances.keypoints"),
                  required(sample.gt_instances.keypoints_visible, "keypoints_visible"));
      std::vector<double> sizes;
      if (item_.empty())
        for (int64_t n = before; n < points_.gt.N; ++n) sizes.push_back(pair_distance(n));
      else
        sizes = item_ == "bbox_size"
                    ? box_sides(sample)
                    : to_doubles(required(sample.gt_instances.more, item_, "gt_instances"));
      check_input(int64_t(sizes.size()) == points_.gt.N - before, "NME: ", sizes.size(), " ", item_,
                  " for ", points_.gt.N - before, " instances");
      for (double size : sizes) factors_.insert(factors_.end(), {size, size});
    }
  }

 protected:
  MetricValues values() override {
    points_.check_any("NME");
    return {{"NME", keypoint_nme(points_.pred, points_.gt, points_.mask, factors_)}};
  }
  void forget() override {
    points_ = {};
    factors_.clear();
  }

 private:
  double pair_distance(int64_t n) const {
    const int highest = std::max(pair_[0], pair_[1]), lowest = std::min(pair_[0], pair_[1]);
    check_input(lowest >= 0 && highest < points_.gt.K, "NME: key points ", pair_[0], " and ",
                pair_[1], " of ", points_.gt.K);
    return distance(points_.gt, n, pair_[0], pair_[1]);
  }

  std::string item_;       // empty: the distance of pair_
  std::vector<int> pair_;  // two key points
  PointPairs points_;
  Factors factors_;  // (N, 2)
};

}  // namespace

std::unique_ptr<Metric> make_pck_metric(const Config& config, const DatasetMeta&) {
  return std::make_unique<PckMetric>(config, 0.05, "bbox");
}
std::unique_ptr<Metric> make_mpii_pck_metric(const Config& config, const DatasetMeta&) {
  return std::make_unique<MpiiPckMetric>(config);
}
std::unique_ptr<Metric> make_jhmdb_pck_metric(const Config& config, const DatasetMeta&) {
  return std::make_unique<JhmdbPckMetric>(config);
}
std::unique_ptr<Metric> make_auc_metric(const Config& config, const DatasetMeta&) {
  return std::make_unique<AucMetric>(config);
}
std::unique_ptr<Metric> make_epe_metric(const Config&, const DatasetMeta&) {
  return std::make_unique<EpeMetric>();
}
std::unique_ptr<Metric> make_nme_metric(const Config& config, const DatasetMeta& meta) {
  return std::make_unique<NmeMetric>(config, meta);
}

}  // namespace limber
