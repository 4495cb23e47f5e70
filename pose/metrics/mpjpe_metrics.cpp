// Metrics of 3-D poses: MPJPE with its alignments (Human3.6M by action), and InterHand2.6M's three.
#include <algorithm>
#include <filesystem>
#include <map>

#include "pose/metrics/metrics.h"
#include "tensor/error.h"

namespace limber {
namespace {

struct Mode {
  const char *name, *key;
  Alignment alignment;
};
constexpr Mode kModes[] = {{"mpjpe", "MPJPE", Alignment::none},
                           {"p-mpjpe", "P-MPJPE", Alignment::procrustes},
                           {"n-mpjpe", "N-MPJPE", Alignment::scale}};

const Mode& read_mode(const Config& config) {
  const std::string name = config.get<std::string>("mode", "mpjpe");
  for (const Mode& mode : kModes)
    if (name == mode.name) return mode;
  fail_input(config.path(), ".mode: \"", name, "\" is none of mpjpe, p-mpjpe, n-mpjpe");
}

class MpjpeMetric : public Metric {
 public:
  MpjpeMetric(const Config& config, bool by_action)
      : mode_(read_mode(config)),
        by_action_(by_action),
        skip_(config.get<std::vector<std::string>>("skip_list", {})) {}

  void process(std::span<const DataSample> samples) override {
    for (const DataSample& sample : samples) {
      std::string action;
      if (by_action_) {
        // .../S9_Walking_1.55011271_000000.jpg: subject S9, action Walking, take 1.
        const std::string& path = sample.meta.target_img_path.empty() ? sample.meta.img_path
                                                                      : sample.meta.target_img_path;
        const std::string name = std::filesystem::path(path).filename().string();
        const std::string take = name.substr(0, name.find('.'));
        if (std::find(skip_.begin(), skip_.end(), take) != skip_.end()) continue;
        const size_t cut = take.find('_');
        check_input(cut != std::string::npos, "MPJPE: \"", path,
                    "\" is not named <subject>_<action>.<camera>_<frame>");
        action = take.substr(cut + 1, take.find('_', cut + 1) - cut - 1);
      }
      const TensorLists& gt = sample.gt_instances.more;
      const Tensor& predicted =
          required(sample.pred_instances.keypoints, "pred_instances.keypoints");
      const Tensor& truth = required(gt, "lifting_target", "gt_instances");
      const Tensor& visible = required(gt, "lifting_target_visible", "gt_instances");
      all_.add(predicted, truth, visible);
      if (by_action_) action_points(action).add(predicted, truth, visible);
    }
  }

 protected:
  MetricValues values() override {
    all_.check_any("MPJPE");
    MetricValues out{{mode_.key, keypoint_mpjpe(all_.pred, all_.gt, all_.mask, mode_.alignment)}};
    for (const auto& [action, points] : actions_)
      out.emplace_back(str(mode_.key, "_", action),
                       keypoint_mpjpe(points.pred, points.gt, points.mask, mode_.alignment));
    return out;
  }
  void forget() override {
    all_ = {};
    actions_.clear();
  }

 private:
  PointPairs& action_points(const std::string& action) {
    for (auto& [name, points] : actions_)
      if (name == action) return points;
    return actions_.emplace_back(action, PointPairs()).second;
  }

  Mode mode_;
  bool by_action_;
  std::vector<std::string> skip_;  // takes: S9_Greeting, S9_Waiting_1
  PointPairs all_;
  std::vector<std::pair<std::string, PointPairs>> actions_;  // in order of appearance
};

// InterHand2.6M (Moon et al. 2020). 42 points, right hand first; wrists 20 and 41. Predictions are
// pixels and a depth relative to their own hand's wrist. A number of which no sample has a part
// is 0.
class InterHandMetric : public Metric {
 public:
  explicit InterHandMetric(const Config& config) : modes_(names_of(config, "modes", "MPJPE")) {
    for (const std::string& mode : modes_)
      check_input(mode == "MPJPE" || mode == "MRRPE" || mode == "HandednessAcc", config.path(),
                  ".modes: \"", mode, "\" is none of MPJPE, MRRPE, HandednessAcc");
  }

  void process(std::span<const DataSample> samples) override {
    for (const DataSample& sample : samples) {
      if (wants("MPJPE")) add_joints(sample);
      if (wants("MRRPE")) add_roots(sample);
      if (wants("HandednessAcc")) add_handedness(sample);
    }
  }

 protected:
  MetricValues values() override {
    MetricValues out;
    if (wants("MPJPE")) {
      all_.check_any("InterHandMetric");
      for (const auto& [key, mask] : {std::pair("MPJPE_all", &all_.mask),
                                      {"MPJPE_single", &single_},
                                      {"MPJPE_interacting", &interacting_}})
        out.emplace_back(key, keypoint_epe(all_.pred, all_.gt, *mask));
    }
    if (wants("HandednessAcc"))
      out.emplace_back("HandednessAcc",
                       multilabel_accuracy(hands_pred_, hands_gt_, hands_mask_, 2));
    if (wants("MRRPE"))
      out.emplace_back("MRRPE", keypoint_epe(roots_.pred, roots_.gt, roots_.mask));
    return out;
  }
  void forget() override {
    all_ = roots_ = {};
    single_.clear(), interacting_.clear();
    hands_pred_.clear(), hands_gt_.clear(), hands_mask_.clear();
  }

 private:
  static constexpr int64_t kRightWrist = 20, kLeftWrist = 41, kHand = 21, kPoints = 42;

  struct Camera {
    std::vector<double> depth, focal, center;  // of the two wrists; pixels
    explicit Camera(const SampleMeta& meta)
        : depth(to_doubles(required(meta.more, "abs_depth", "meta"))),
          focal(to_doubles(required(meta.more, "focal", "meta"))),
          center(to_doubles(required(meta.more, "principal_pt", "meta"))) {
      check_input(depth.size() == 2 && focal.size() == 2 && center.size() == 2,
                  "InterHandMetric: abs_depth, focal and principal_pt are two numbers each");
    }
    // Pixels and absolute depth to camera space, millimetres.
    std::array<double, 3> unproject(double x, double y, double z) const {
      return {(x - center[0]) / focal[0] * z, (y - center[1]) / focal[1] * z, z};
    }
  };

  bool wants(const std::string& mode) const {
    return std::find(modes_.begin(), modes_.end(), mode) != modes_.end();
  }
  static Points joints(const Tensor& tensor, const char* what) {
    const Points points = to_points(tensor);
    check_input(points.N == 1 && points.K == kPoints && points.D == 3, "InterHandMetric: ", what,
                " ", tensor.shape(), ", need (1, 42, 3)");
    return points;
  }
  static Points predicted(const DataSample& sample) {
    return joints(required(sample.pred_instances.keypoints, "pred_instances.keypoints"),
                  "predictions");
  }
  static Points truth(const DataSample& sample) {
    return joints(required(sample.gt_instances.more, "keypoints_cam", "gt_instances"), "truth");
  }
  static bool both_hands(const DataSample& sample) {
    const auto hands = to_doubles(required(sample.meta.more, "hand_type", "meta"));
    return std::all_of(hands.begin(), hands.end(), [](double hand) { return hand != 0; });
  }
  static void subtract_wrists(Points& points) {
    const Points before = points;
    for (int64_t k = 0; k < kPoints; ++k)
      for (int64_t d = 0; d < 3; ++d)
        points.at(0, k, d) -= before.at(0, k < kHand ? kRightWrist : kLeftWrist, d);
  }

  void add_joints(const DataSample& sample) {
    const Camera camera(sample.meta);
    Points pred = predicted(sample), gt = truth(sample);
    for (int64_t k = 0; k < kPoints; ++k) {
      const double depth = pred.at(0, k, 2) + camera.depth[k < kHand ? 0 : 1];
      const auto point = camera.unproject(pred.at(0, k, 0), pred.at(0, k, 1), depth);
      for (int64_t d = 0; d < 3; ++d) pred.at(0, k, d) = point[size_t(d)];
    }
    subtract_wrists(pred);
    subtract_wrists(gt);
    const PointMask mask = visible_mask(
        required(sample.gt_instances.keypoints_visible, "gt_instances.keypoints_visible"));
    all_.pred.append(pred);
    all_.gt.append(gt);
    all_.mask.insert(all_.mask.end(), mask.begin(), mask.end());
    const bool both = both_hands(sample);
    for (uint8_t flag : mask) {
      single_.push_back(!both && flag);
      interacting_.push_back(both && flag);
    }
  }

  // The left wrist relative to the right one.
  void add_roots(const DataSample& sample) {
    const PointMask visible = visible_mask(
        required(sample.gt_instances.keypoints_visible, "gt_instances.keypoints_visible"));
    if (!both_hands(sample) || !visible.at(kRightWrist) || !visible.at(kLeftWrist)) return;
    const Camera camera(sample.meta);
    const Points pred = predicted(sample), gt = truth(sample);
    const double relative =
        to_doubles(required(sample.pred_instances.more, "rel_root_depth", "pred_instances")).at(0);
    // Single precision as in the reference: the wrists' difference is small beside their depth.
    const auto root = [&](int64_t k, double offset) {
      const float z = float(pred.at(0, k, 2)) + float(camera.depth[0] + offset);
      std::array<float, 3> point{0, 0, z};
      for (size_t d = 0; d < 2; ++d)
        point[d] = (float(pred.at(0, k, int64_t(d))) - float(camera.center[d])) /
                   float(camera.focal[d]) * z;
      return point;
    };
    const auto left = root(kLeftWrist, relative), right = root(kRightWrist, 0);
    Points p{1, 1, 3, {}}, t{1, 1, 3, {}};
    for (int64_t d = 0; d < 3; ++d) {
      p.values.push_back(left[size_t(d)] - right[size_t(d)]);
      t.values.push_back(gt.at(0, kLeftWrist, d) - gt.at(0, kRightWrist, d));
    }
    roots_.pred.append(p);
    roots_.gt.append(t);
    roots_.mask.push_back(1);
  }

  void add_handedness(const DataSample& sample) {
    const auto pred =
        to_doubles(required(sample.pred_instances.more, "hand_type", "pred_instances"));
    const auto gt = to_doubles(required(sample.meta.more, "hand_type", "meta"));
    const auto valid = to_doubles(required(sample.meta.more, "hand_type_valid", "meta"));
    check_input(pred.size() == 2 && gt.size() == 2 && !valid.empty(),
                "InterHandMetric: hand_type is one row of two numbers");
    for (size_t hand = 0; hand < 2; ++hand) {
      hands_pred_.push_back(pred[hand]);
      hands_gt_.push_back(gt[hand]);
      hands_mask_.push_back(valid[std::min(hand, valid.size() - 1)] > 0);
    }
  }

  std::vector<std::string> modes_;
  PointPairs all_, roots_;
  PointMask single_, interacting_;
  std::vector<double> hands_pred_, hands_gt_;
  std::vector<uint8_t> hands_mask_;
};

}  // namespace

std::unique_ptr<Metric> make_mpjpe_metric(const Config& config, const DatasetMeta&) {
  return std::make_unique<MpjpeMetric>(config, true);
}
std::unique_ptr<Metric> make_simple_mpjpe_metric(const Config& config, const DatasetMeta&) {
  return std::make_unique<MpjpeMetric>(config, false);
}
std::unique_ptr<Metric> make_interhand_metric(const Config& config, const DatasetMeta&) {
  return std::make_unique<InterHandMetric>(config);
}

}  // namespace limber
