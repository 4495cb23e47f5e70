// The COCO key-point evaluation; see coco_eval.h.
#include "pose/metrics/coco_eval.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <unordered_set>

#include "tensor/error.h"

namespace limber {
namespace {

constexpr size_t kThresholds = 10, kRecalls = 101, kMaxDetections = 20;
constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

// start + i * step for i < count, the last exactly `stop`, as numpy spaces them.
template <size_t count>
std::array<double, count> spaced(double start, double stop) {
  std::array<double, count> out;
  const double step = (stop - start) / double(count - 1);
  for (size_t i = 0; i < count; ++i) out[i] = double(i) * step + start;
  out[count - 1] = stop;
  return out;
}

const std::array<double, kThresholds> kOksThresholds = spaced<kThresholds>(0.5, 0.95);
const std::array<double, kRecalls> kRecallThresholds = spaced<kRecalls>(0, 1);

struct AreaRange {
  double low, high;
  bool contains(double area) const { return !(area < low || area > high); }
};
constexpr AreaRange kAll = {0, 1e10}, kMedium = {32 * 32, 96 * 96}, kLarge = {96 * 96, 1e10};

struct Truth {
  const RawAnnotation* ann;
  double area;
  bool ignored;
};

// What one image holds of one category, detections best first.
struct Group {
  std::vector<Truth> truths;
  std::vector<const CocoDetection*> detections;
  std::vector<double> oks;  // (detections, truths)
};

// One detection at all thresholds.
struct Outcome {
  double score;
  std::array<bool, kThresholds> matched, ignored;
};

// precision (T, R) and recall (T) of one category; empty where there was nothing to find.
struct Curves {
  std::vector<double> precision, recall;
};

bool has_visible_point(const std::vector<double>& keypoints) {
  for (size_t i = 2; i < keypoints.size(); i += 3)
    if (keypoints[i] > 0) return true;
  return false;
}

// OKS of one detection with one annotation. Without labelled points, how far the points lie
// outside the annotation's box grown by its own size on every side.
double oks(const CocoDetection& detection, const Truth& truth, const std::vector<double>& sigmas) {
  const std::vector<double>&d = detection.keypoints, &g = truth.ann->keypoints;
  const auto& box = truth.ann->bbox;
  const bool labelled = has_visible_point(g);
  const auto outside = [](double at, double low, double size) {
    return std::max(0.0, low - size - at) + std::max(0.0, at - (low + size * 2));
  };
  double sum = 0;
  int count = 0;
  for (size_t k = 0; k < sigmas.size(); ++k) {
    if (labelled && !(g[3 * k + 2] > 0)) continue;
    const double x = d[3 * k], y = d[3 * k + 1];
    const double dx = labelled ? x - g[3 * k] : outside(x, box[0], box[2]);
    const double dy = labelled ? y - g[3 * k + 1] : outside(y, box[1], box[3]);
    const double width = sigmas[k] * 2;
    sum += std::exp(-((dx * dx + dy * dy) / (width * width) / (truth.area + kEpsilon) / 2));
    ++count;
  }
  return sum / count;
}

class Evaluation {
 public:
  Evaluation(const CocoGroundTruth& truth, const std::vector<CocoDetection>& detections,
             const CocoEvalOptions& options);

  // One entry per category, over the images of `images` (ascending ids).
  std::vector<Curves> curves(const std::vector<int64_t>& images, AreaRange range) const;
  const std::vector<int64_t>& images() const { return image_ids_; }

 private:
  std::map<std::pair<int64_t, int64_t>, Group> groups_;  // by category, image
  std::vector<int64_t> image_ids_, category_ids_;        // ascending
  Curves curve(const std::vector<const Group*>& groups, AreaRange range) const;
};

Evaluation::Evaluation(const CocoGroundTruth& truth, const std::vector<CocoDetection>& detections,
                       const CocoEvalOptions& options) {
  const size_t K = options.sigmas.size();
  for (const CocoTruthImage& image : truth.images) image_ids_.push_back(image.id);
  for (const auto& category : truth.categories) category_ids_.push_back(category.first);
  for (auto* ids : {&image_ids_, &category_ids_}) {
    std::sort(ids->begin(), ids->end());
    ids->erase(std::unique(ids->begin(), ids->end()), ids->end());
  }
  const std::unordered_set<int64_t> known(image_ids_.begin(), image_ids_.end());
  for (const auto& ann : truth.annotations) {
    check_input(ann->keypoints.size() == 3 * K, "coco evaluation: annotation ", ann->id, " has ",
                ann->keypoints.size() / 3, " key points, there are ", K, " sigmas");
    check_input(
        !options.use_area || ann->area > 0 || ann->iscrowd || !has_visible_point(ann->keypoints),
        "coco evaluation: annotation ", ann->id,
        " has no area; set use_area=False to estimate it from the box");
    const double area = options.use_area ? ann->area : ann->bbox[2] * ann->bbox[3] * 0.53;
    groups_[{ann->category_id, ann->image_id}].truths.push_back(
        {ann.get(), area, ann->iscrowd || !has_visible_point(ann->keypoints)});
  }
  for (const CocoDetection& detection : detections) {
    check_input(known.contains(detection.image_id), "coco evaluation: a prediction for image ",
                detection.image_id, ", which the annotations do not have");
    check(detection.keypoints.size() == 3 * K, "coco evaluation: a prediction of ",
          detection.keypoints.size() / 3, " key points, there are ", K, " sigmas");
    if (has_visible_point(detection.keypoints))
      groups_[{detection.category_id, detection.image_id}].detections.push_back(&detection);
  }
  for (auto& [key, group] : groups_) {
    std::stable_sort(
        group.detections.begin(), group.detections.end(),
        [](const CocoDetection* a, const CocoDetection* b) { return a->score > b->score; });
    if (group.detections.size() > kMaxDetections) group.detections.resize(kMaxDetections);
    for (const CocoDetection* detection : group.detections)
      for (const Truth& one : group.truths)
        group.oks.push_back(oks(*detection, one, options.sigmas));
  }
}

// Greedy matching at one threshold: each detection, best first, takes the free annotation of
// highest OKS, one that counts before one that is ignored.
void match(const Group& group, const std::vector<size_t>& order,
           const std::vector<uint8_t>& ignored, size_t threshold, std::vector<Outcome>& outcomes) {
  constexpr size_t kNone = SIZE_MAX;
  std::vector<uint8_t> taken(order.size(), 0);
  for (size_t d = 0; d < group.detections.size(); ++d) {
    double best = std::min(kOksThresholds[threshold], 1 - 1e-10);
    size_t found = kNone;
    for (size_t g = 0; g < order.size(); ++g) {
      const Truth& truth = group.truths[order[g]];
      if (taken[g] && !truth.ann->iscrowd) continue;
      if (found != kNone && !ignored[found] && ignored[g]) break;
      const double similarity = group.oks[d * order.size() + order[g]];
      if (similarity < best) continue;
      best = similarity;
      found = g;
    }
    outcomes[d].matched[threshold] = outcomes[d].ignored[threshold] = false;
    if (found == kNone) continue;
    taken[found] = 1;
    outcomes[d].matched[threshold] = group.truths[order[found]].ann->id != 0;
    outcomes[d].ignored[threshold] = ignored[found];
  }
}

// The outcomes of one image's detections; returns how many annotations were to be found.
int64_t evaluate_group(const Group& group, AreaRange range, std::vector<Outcome>& all) {
  std::vector<size_t> order;
  std::vector<uint8_t> ignored;
  for (const bool late : {false, true})
    for (size_t g = 0; g < group.truths.size(); ++g) {
      const Truth& truth = group.truths[g];
      if ((truth.ignored || !range.contains(truth.area)) != late) continue;
      order.push_back(g);
      ignored.push_back(late);
    }
  std::vector<Outcome> outcomes;
  for (const CocoDetection* detection : group.detections)
    outcomes.push_back({detection->score, {}, {}});
  for (size_t t = 0; t < kThresholds; ++t) match(group, order, ignored, t, outcomes);
  for (size_t d = 0; d < outcomes.size(); ++d)
    if (!range.contains(group.detections[d]->area))
      for (size_t t = 0; t < kThresholds; ++t)
        outcomes[d].ignored[t] = outcomes[d].ignored[t] || !outcomes[d].matched[t];
  all.insert(all.end(), outcomes.begin(), outcomes.end());
  return std::count(ignored.begin(), ignored.end(), 0);
}

// Precision at each recall threshold, made monotone from the right, and the last recall.
void add_curve(const std::vector<Outcome>& outcomes, size_t t, int64_t wanted, Curves& curves) {
  std::vector<double> precision, recall;
  double right = 0, wrong = 0;
  for (const Outcome& one : outcomes) {
    if (!one.ignored[t]) (one.matched[t] ? right : wrong) += 1;
    recall.push_back(right / double(wanted));
    precision.push_back(right / (wrong + right + kEpsilon));
  }
  for (size_t i = precision.size(); i-- > 1;)
    precision[i - 1] = std::max(precision[i - 1], precision[i]);
  for (double r : kRecallThresholds) {
    const auto at = size_t(std::lower_bound(recall.begin(), recall.end(), r) - recall.begin());
    curves.precision.push_back(at < precision.size() ? precision[at] : 0);
  }
  curves.recall.push_back(recall.empty() ? 0 : recall.back());
}

Curves Evaluation::curve(const std::vector<const Group*>& groups, AreaRange range) const {
  std::vector<Outcome> outcomes;
  int64_t wanted = 0;
  for (const Group* group : groups) wanted += evaluate_group(*group, range, outcomes);
  Curves curves;
  if (wanted == 0) return curves;
  std::stable_sort(outcomes.begin(), outcomes.end(),
                   [](const Outcome& a, const Outcome& b) { return a.score > b.score; });
  for (size_t t = 0; t < kThresholds; ++t) add_curve(outcomes, t, wanted, curves);
  return curves;
}

std::vector<Curves> Evaluation::curves(const std::vector<int64_t>& images, AreaRange range) const {
  std::vector<Curves> out;
  for (int64_t category : category_ids_) {
    std::vector<const Group*> groups;
    for (int64_t image : images)
      if (const auto found = groups_.find({category, image}); found != groups_.end())
        groups.push_back(&found->second);
    out.push_back(curve(groups, range));
  }
  return out;
}

// The mean over categories that had something to find, at one threshold or (-1) all; -1 if none.
double mean_of(const std::vector<Curves>& categories, std::vector<double> Curves::*values,
               int threshold) {
  double sum = 0;
  size_t count = 0;
  for (const Curves& curves : categories) {
    const std::vector<double>& all = curves.*values;
    const size_t width = all.size() / kThresholds;
    const size_t begin = threshold < 0 ? 0 : size_t(threshold) * width;
    const size_t end = threshold < 0 ? all.size() : begin + width;
    sum = std::accumulate(all.begin() + int64_t(begin), all.begin() + int64_t(end), sum);
    count += end - begin;
  }
  return count == 0 ? -1 : sum / double(count);
}

// CrowdPose's number for a subset of images: categories that had nothing to find count as -1.
double subset_precision(const std::vector<Curves>& categories) {
  double sum = 0;
  for (const Curves& curves : categories)
    sum += curves.precision.empty()
               ? -1
               : std::accumulate(curves.precision.begin(), curves.precision.end(), 0.0) /
                     double(curves.precision.size());
  return std::nearbyint(sum / double(categories.size()) * 1e4) / 1e4;
}

}  // namespace

std::vector<std::pair<std::string, double>> coco_evaluate(
    const CocoGroundTruth& truth, const std::vector<CocoDetection>& detections,
    const CocoEvalOptions& options) {
  check_input(!truth.categories.empty(), "coco evaluation: the annotations name no category");
  const Evaluation evaluation(truth, detections, options);
  const std::vector<Curves> all = evaluation.curves(evaluation.images(), kAll);
  std::vector<std::pair<std::string, double>> out;
  const auto add = [&](const char* name, const std::vector<Curves>& curves, int threshold,
                       bool recall = false) {
    out.emplace_back(name,
                     mean_of(curves, recall ? &Curves::recall : &Curves::precision, threshold));
  };
  add("AP", all, -1);
  add("AP .5", all, 0);
  add("AP .75", all, 5);
  if (!options.crowd) {
    const std::vector<Curves> medium = evaluation.curves(evaluation.images(), kMedium);
    const std::vector<Curves> large = evaluation.curves(evaluation.images(), kLarge);
    add("AP (M)", medium, -1);
    add("AP (L)", large, -1);
    add("AR", all, -1, true);
    add("AR .5", all, 0, true);
    add("AR .75", all, 5, true);
    add("AR (M)", medium, -1, true);
    add("AR (L)", large, -1, true);
    return out;
  }
  add("AR", all, -1, true);
  add("AR .5", all, 0, true);
  add("AR .75", all, 5, true);
  const std::pair<const char*, AreaRange> subsets[] = {
      // of the images' crowd index
      {"AP(E)", {-std::numeric_limits<double>::infinity(), 0.2}},
      {"AP(M)", {0.2, 0.8}},
      {"AP(H)", {0.8, std::numeric_limits<double>::infinity()}}};
  for (const auto& [name, range] : subsets) {
    std::vector<int64_t> ids;
    for (const CocoTruthImage& image : truth.images)
      if (image.crowd_index >= range.low && image.crowd_index < range.high) ids.push_back(image.id);
    std::sort(ids.begin(), ids.end());
    out.emplace_back(name, subset_precision(evaluation.curves(ids, kAll)));
  }
  return out;
}

}  // namespace limber
