#include "pose/core/sim_ota.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "pose/core/factory.h"
#include "pose/core/keypoint_metrics.h"
#include "pose/core/metainfo.h"

namespace limber {
namespace {

constexpr double kFar = 1e5;        // the price of a point outside of a person's box or centre
constexpr double kSmallest = 1e-7;  // keeps logarithms finite

// Binary cross-entropy of a probability, logarithms bounded as PyTorch bounds them.
double cross_entropy(double p, double target) {
  const auto bounded_log = [](double x) { return x > 0 ? std::max(std::log(x), -100.0) : -100.0; };
  return -(target * bounded_log(p) + (1 - target) * bounded_log(1 - p));
}

double box_iou(const double* a, const double* b) {
  const double w = std::max(0.0, std::min(a[2], b[2]) - std::max(a[0], b[0]));
  const double h = std::max(0.0, std::min(a[3], b[3]) - std::max(a[1], b[1]));
  const double any = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - w * h;
  return w * h / std::max(any, 1e-6);
}

// A calculator's type must be this one: there is no other.
Config calculator(const Config& c, const char* key, const char* type) {
  const Config node = c.find(key);
  if (!node.is_null() && without_scope(node.type()) != type)
    node.fail("unknown calculator \"", node.type(), "\"", did_you_mean(node.type(), {type}));
  return node;
}

}  // namespace

// Everything as doubles, and what is found out about pairs of candidate points and people.
struct SimOta::Pairs {
  int64_t P = 0, N = 0, K = 0, C = 0;
  std::vector<double> priors, boxes, scores, keypoints, visible;                // predicted
  std::vector<double> gt_boxes, gt_labels, gt_keypoints, gt_visible, gt_areas;  // annotated
  std::vector<int64_t> candidates;    // points near any person
  std::vector<uint8_t> near;          // (candidates, N): in the box and at the centre
  std::vector<double> cost, overlap;  // (candidates, N)

  Pairs(const PointPredictions& p, const PointTruth& t)
      : P(p.priors.size(0)),
        N(t.boxes.size(0)),
        K(t.keypoints.size(1)),
        C(p.scores.size(1)),
        priors(to_doubles(p.priors)),
        boxes(to_doubles(p.boxes)),
        scores(to_doubles(p.scores)),
        keypoints(to_doubles(p.keypoints)),
        visible(to_doubles(p.visible)),
        gt_boxes(to_doubles(t.boxes)),
        gt_labels(to_doubles(t.labels)),
        gt_keypoints(to_doubles(t.keypoints)),
        gt_visible(to_doubles(t.visible)),
        gt_areas(to_doubles(t.areas)) {
    check(keypoints.size() == size_t(P * K * 2) && gt_keypoints.size() == size_t(N * K * 2),
          "SimOTA: ", P, " points and ", N, " people of ", K, " key points, predicted ",
          p.keypoints.shape(), ", annotated ", t.keypoints.shape());
  }

  std::array<double, 2> center(int64_t n, bool of_keypoints) const {
    const double* box = &gt_boxes[size_t(4 * n)];
    double x = 0, y = 0, count = 0;
    for (int64_t k = 0; of_keypoints && k < K; ++k) {
      const double v = gt_visible[size_t(n * K + k)];
      x += v * gt_keypoints[size_t(2 * (n * K + k))];
      y += v * gt_keypoints[size_t(2 * (n * K + k) + 1)];
      count += v;
    }
    if (count > 0) return {x / count, y / count};
    return {(box[0] + box[2]) / 2, (box[1] + box[3]) / 2};
  }

  // Object key-point similarity of point p's pose and person n, the mean over visible key points.
  double oks(int64_t p, int64_t n, const std::vector<float>& sigmas) const {
    double total = 0, weights = 0;
    const double area = std::max(gt_areas[size_t(n)], 1e-16);
    for (int64_t k = 0; k < K; ++k) {
      const double* a = &keypoints[size_t(2 * (p * K + k))];
      const double* b = &gt_keypoints[size_t(2 * (n * K + k))];
      const double sigma = sigmas.empty() ? 0.5 : sigmas[size_t(k)],
                   v = gt_visible[size_t(n * K + k)];
      const double d2 = (a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]);
      total += v * std::exp(-d2 / (8 * sigma * sigma * area));
      weights += v;
    }
    return total / std::max(weights, 1e-8);
  }

  double class_cost(int64_t p, int64_t n) const {
    double total = 0;
    for (int64_t c = 0; c < C; ++c)
      total += cross_entropy(scores[size_t(p * C + c)], double(c) == gt_labels[size_t(n)] ? 1 : 0);
    return total;
  }

  double visibility_cost(int64_t p, int64_t n) const {
    double total = 0;
    for (int64_t k = 0; k < K; ++k)
      total += cross_entropy(visible[size_t(p * K + k)], gt_visible[size_t(n * K + k)]);
    return total;
  }
};

SimOta::SimOta(const Config& c) {
  if (without_scope(c.type()) != "SimOTAAssigner")
    c.fail("unknown assigner \"", c.type(), "\"", did_you_mean(c.type(), {"SimOTAAssigner"}));
  center_radius_ = c.get("center_radius", 2.5);
  candidate_topk_ = c.get<int64_t>("candidate_topk", 10);
  iou_weight_ = c.get("iou_weight", 3.0);
  cls_weight_ = c.get("cls_weight", 1.0);
  oks_weight_ = c.get("oks_weight", 3.0);
  vis_weight_ = c.get("vis_weight", 0.0);
  keypoints_center_ = c.get("use_keypoints_for_center", false);
  const auto indicator = c.get<std::string>("dynamic_k_indicator", "iou");
  if (indicator != "iou" && indicator != "oks")
    c.at("dynamic_k_indicator").fail("\"iou\" or \"oks\", not \"", indicator, "\"");
  by_oks_ = indicator == "oks";
  check_input(candidate_topk_ > 0, c.where(), ": candidate_topk must be positive");
  if (const Config iou = calculator(c, "iou_calculator", "BBoxOverlaps2D"); !iou.is_null())
    iou.expect_all_read();
  const Config oks = calculator(c, "oks_calculator", "PoseOKS");
  sigmas_ =
      oks.contains("metainfo") ? sigmas_of(oks.find("metainfo")) : known_metainfo("coco")->sigmas;
  if (!oks.is_null()) oks.expect_all_read();
  c.expect_all_read();
}

std::vector<PointMatch> SimOta::operator()(const PointPredictions& predicted,
                                           const PointTruth& truth) const {
  if (truth.boxes.size(0) == 0 || predicted.priors.size(0) == 0) return {};
  Pairs pairs(predicted, truth);
  check(sigmas_.empty() || int64_t(sigmas_.size()) == pairs.K, "SimOTAAssigner: ", pairs.K,
        " key points, ", sigmas_.size(), " sigmas: set assigner.oks_calculator.metainfo");
  find_candidates(pairs);
  if (pairs.candidates.empty()) return {};
  fill_costs(pairs);
  return choose(pairs);
}

// Points inside of a box or less than center_radius strides from a centre, along each axis.
void SimOta::find_candidates(Pairs& pairs) const {
  std::vector<std::array<double, 2>> centers;
  for (int64_t n = 0; n < pairs.N; ++n) centers.push_back(pairs.center(n, keypoints_center_));
  std::vector<uint8_t> row(size_t(pairs.N));
  for (int64_t p = 0; p < pairs.P; ++p) {
    const double* prior = &pairs.priors[size_t(4 * p)];
    bool any = false;
    for (int64_t n = 0; n < pairs.N; ++n) {
      const double* box = &pairs.gt_boxes[size_t(4 * n)];
      const auto [x, y] = centers[size_t(n)];
      const bool inside =
          prior[0] > box[0] && prior[1] > box[1] && prior[0] < box[2] && prior[1] < box[3];
      const bool central = std::abs(prior[0] - x) < center_radius_ * prior[2] &&
                           std::abs(prior[1] - y) < center_radius_ * prior[3];
      any = any || inside || central;
      row[size_t(n)] = inside && central;
    }
    if (!any) continue;
    pairs.candidates.push_back(p);
    pairs.near.insert(pairs.near.end(), row.begin(), row.end());
  }
}

void SimOta::fill_costs(Pairs& pairs) const {
  size_t at = 0;
  for (const int64_t p : pairs.candidates)
    for (int64_t n = 0; n < pairs.N; ++n, ++at) {
      const double iou = box_iou(&pairs.boxes[size_t(4 * p)], &pairs.gt_boxes[size_t(4 * n)]);
      double cost = pairs.near[at] != 0 ? 0 : kFar, oks = 0;
      if (iou_weight_ > 0) cost -= iou_weight_ * std::log(iou + kSmallest);
      if (oks_weight_ > 0 || by_oks_) {
        oks = pairs.oks(p, n, sigmas_);
        cost -= oks_weight_ * std::log(oks + kSmallest);
      }
      if (cls_weight_ > 0) cost += cls_weight_ * pairs.class_cost(p, n);
      if (vis_weight_ > 0) cost += vis_weight_ * pairs.visibility_cost(p, n);
      const double overlap = by_oks_ ? oks : iou;
      // Predictions that are no numbers are nobody's choice.
      pairs.cost.push_back(std::isnan(cost) ? std::numeric_limits<double>::infinity() : cost);
      pairs.overlap.push_back(std::isnan(overlap) ? 0 : overlap);
    }
}

std::vector<PointMatch> SimOta::choose(const Pairs& pairs) const {
  const int64_t candidates = int64_t(pairs.candidates.size()), N = pairs.N;
  const auto column = [&](const std::vector<double>& pair_values, int64_t n) {
    std::vector<double> values;
    for (int64_t i = 0; i < candidates; ++i) values.push_back(pair_values[size_t(i * N + n)]);
    return values;
  };
  std::vector<std::vector<int64_t>> chosen_by(static_cast<size_t>(candidates));
  for (int64_t n = 0; n < N; ++n) {
    std::vector<double> best = column(pairs.overlap, n);
    const auto top = best.begin() + std::min(candidate_topk_, candidates);
    std::partial_sort(best.begin(), top, best.end(), std::greater<>());
    const auto sum = int64_t(std::accumulate(best.begin(), top, 0.0));
    const std::vector<double> cost = column(pairs.cost, n);
    std::vector<int64_t> order(static_cast<size_t>(candidates));
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, {}, [&](int64_t i) { return cost[size_t(i)]; });
    const int64_t points = std::min(std::max<int64_t>(sum, 1), candidates);
    for (int64_t i = 0; i < points; ++i) chosen_by[size_t(order[size_t(i)])].push_back(n);
  }
  std::vector<PointMatch> matches;
  for (int64_t i = 0; i < candidates; ++i) {
    const std::vector<int64_t>& people = chosen_by[size_t(i)];
    if (people.empty()) continue;
    const auto row = pairs.cost.begin() + i * N;
    // Among all people, not only those who chose the point.
    const int64_t person = people.size() == 1 ? people[0] : std::min_element(row, row + N) - row;
    matches.push_back({pairs.candidates[size_t(i)], person, pairs.overlap[size_t(i * N + person)]});
  }
  return matches;
}

}  // namespace limber
