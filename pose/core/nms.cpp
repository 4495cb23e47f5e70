// Suppression of boxes and poses; see nms.h.
#include "pose/core/nms.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "tensor/error.h"

namespace limber {
namespace {

constexpr double kCocoSigmas[] = {.026, .025, .025, .035, .035, .079, .079, .072, .072,
                                  .062, .062, .107, .107, .087, .087, .089, .089};

// Indices by score, best first; the later of equals first.
template <class Scores>
std::vector<int> best_first(const Scores& scores) {
  std::vector<int> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return scores[size_t(a)] < scores[size_t(b)]; });
  std::reverse(order.begin(), order.end());
  return order;
}

std::vector<double> scores_of(std::span<const PoseCandidate> poses) {
  std::vector<double> scores;
  for (const PoseCandidate& pose : poses) scores.push_back(pose.score);
  return scores;
}

// Keeps the front of `order`, erases what `suppressed(kept, other)` names, until none is left.
template <class Suppressed>
std::vector<int> greedy(std::vector<int> order, const Suppressed& suppressed) {
  std::vector<int> keep;
  while (!order.empty()) {
    const int best = order.front();
    keep.push_back(best);
    order.erase(order.begin());
    std::erase_if(order, [&](int other) { return suppressed(best, other); });
  }
  return keep;
}

template <class T>
double box_iou(std::span<const T> boxes, int a, int b, double pixel) {
  const auto p = boxes.subspan(size_t(a) * 4, 4), q = boxes.subspan(size_t(b) * 4, 4);
  const auto area = [&](std::span<const T> r) {
    return (double(r[2]) - r[0] + pixel) * (double(r[3]) - r[1] + pixel);
  };
  const double w = std::max(0.0, double(std::min(p[2], q[2])) - std::max(p[0], q[0]) + pixel);
  const double h = std::max(0.0, double(std::min(p[3], q[3])) - std::max(p[1], q[1]) + pixel);
  // The reference keeps the union above 1e-6 where corners are continuous.
  return w * h / std::max(area(p) + area(q) - w * h, 1e-6);
}

// near[i * N + j]: pose j has more than `min_near` joints near those of pose i.
std::vector<uint8_t> near_pairs(std::span<const double> keypoints, int64_t N, int64_t K,
                                double distance_share, int64_t min_near) {
  std::vector<uint8_t> near(size_t(N * N));
  const auto at = [&](int64_t n, int64_t k, int64_t d) {
    return keypoints[size_t((n * K + k) * 2 + d)];
  };
  for (int64_t i = 0; i < N; ++i) {
    double low[2] = {at(i, 0, 0), at(i, 0, 1)}, high[2] = {low[0], low[1]};
    for (int64_t k = 1; k < K; ++k)
      for (int64_t d = 0; d < 2; ++d) {
        low[d] = std::min(low[d], at(i, k, d));
        high[d] = std::max(high[d], at(i, k, d));
      }
    const double limit = distance_share * std::hypot(high[0] - low[0], high[1] - low[1]);
    for (int64_t j = 0; j < N; ++j) {
      int64_t count = 0;
      for (int64_t k = 0; k < K; ++k)
        count += std::hypot(at(i, k, 0) - at(j, k, 0), at(i, k, 1) - at(j, k, 1)) < limit;
      near[size_t(i * N + j)] = count > min_near || i == j;
    }
  }
  return near;
}

}  // namespace

std::span<const double> coco_sigmas() { return kCocoSigmas; }

float pose_oks(const PoseCandidate& a, const PoseCandidate& b, const OksOptions& options) {
  const std::span<const double> sigmas =
      options.sigmas.empty() ? coco_sigmas() : std::span<const double>(options.sigmas);
  check(a.keypoints.size() == 3 * sigmas.size() && b.keypoints.size() == a.keypoints.size(),
        "pose_oks: ", sigmas.size(), " sigmas for ", a.keypoints.size() / 3, " and ",
        b.keypoints.size() / 3, " key points");
  const double area = (a.area + b.area) / 2 + std::numeric_limits<double>::epsilon();
  double sum = 0;
  int count = 0;
  for (size_t k = 0; k < sigmas.size(); ++k) {
    const double *p = &a.keypoints[3 * k], *q = &b.keypoints[3 * k];
    if (options.visible_above >= 0 &&
        (p[2] <= options.visible_above || q[2] <= options.visible_above))
      continue;
    const double dx = p[0] - q[0], dy = p[1] - q[1], width = 2 * sigmas[k];
    sum += std::exp(-(dx * dx + dy * dy) / (width * width) / area / 2);
    ++count;
  }
  return count == 0 ? 0.f : float(sum / count);
}

std::vector<int> oks_nms(std::span<const PoseCandidate> poses, double threshold,
                         const OksOptions& options) {
  return greedy(best_first(scores_of(poses)), [&](int kept, int other) {
    return pose_oks(poses[size_t(kept)], poses[size_t(other)], options) > float(threshold);
  });
}

std::vector<int> soft_oks_nms(std::span<const PoseCandidate> poses, double threshold, int max_dets,
                              const OksOptions& options) {
  const std::vector<double> all = scores_of(poses);
  std::vector<int> order = best_first(all), keep;
  std::vector<double> scores;
  for (int i : order) scores.push_back(all[size_t(i)]);
  while (!order.empty() && int(keep.size()) < max_dets) {
    const int best = order.front();
    keep.push_back(best);
    order.erase(order.begin());
    scores.erase(scores.begin());
    for (size_t i = 0; i < order.size(); ++i) {
      const double oks = pose_oks(poses[size_t(best)], poses[size_t(order[i])], options);
      scores[i] *= std::exp(-oks * oks / threshold);
    }
    std::vector<int> sorted_order;
    std::vector<double> sorted_scores;
    for (int i : best_first(scores)) {
      sorted_order.push_back(order[size_t(i)]);
      sorted_scores.push_back(scores[size_t(i)]);
    }
    order = std::move(sorted_order);
    scores = std::move(sorted_scores);
  }
  return keep;
}

std::vector<int> nearby_joints_nms(std::span<const double> keypoints,
                                   std::span<const double> scores, int64_t num_keypoints,
                                   const NearbyJointsOptions& options) {
  const auto N = int64_t(scores.size()), K = num_keypoints;
  check(int64_t(keypoints.size()) == N * K * 2, "nearby_joints_nms: ", keypoints.size(),
        " coordinates for ", N, " poses of ", K, " joints");
  const int64_t min_near = options.min_near < 0 ? K / 2 : options.min_near;
  check(min_near < K || N == 0, "nearby_joints_nms: at least ", min_near, " of ", K, " joints");
  const auto near = near_pairs(keypoints, N, K, options.distance_share, min_near);
  std::vector<uint8_t> done(size_t(N), 0);
  std::vector<int> keep;
  for (int i : best_first(scores)) {
    if (done[size_t(i)]) continue;
    int best = -1;
    for (int j = 0; j < N; ++j)
      if (near[size_t(i * N + j)] && (best < 0 || scores[size_t(j)] > scores[size_t(best)]))
        best = j;
    if (done[size_t(best)]) continue;
    keep.push_back(best);
    for (int j = 0; j < N; ++j) done[size_t(j)] |= near[size_t(i * N + j)];
  }
  if (options.max_dets <= 0 || int(keep.size()) <= options.max_dets) return keep;
  std::vector<double> kept_scores;
  for (int i : keep) kept_scores.push_back(scores[size_t(i)]);
  std::vector<int> best;
  for (int i : best_first(kept_scores)) best.push_back(keep[size_t(i)]);
  best.resize(size_t(options.max_dets));
  return best;
}

std::vector<int> box_nms(std::span<const double> boxes, std::span<const double> scores,
                         double threshold) {
  check(boxes.size() == 4 * scores.size(), "box_nms: ", boxes.size(), " corners for ",
        scores.size(), " scores");
  return greedy(best_first(scores),
                [&](int kept, int other) { return box_iou(boxes, kept, other, 1.0) > threshold; });
}

std::vector<std::vector<int>> nms_groups(std::span<const float> boxes,
                                         std::span<const float> scores, double threshold) {
  check(boxes.size() == 4 * scores.size(), "nms_groups: ", boxes.size(), " corners for ",
        scores.size(), " scores");
  std::vector<int> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return scores[size_t(a)] > scores[size_t(b)]; });
  std::vector<std::vector<int>> groups;
  while (!order.empty()) {
    const int best = order.front();
    std::vector<int> group, rest;
    for (int other : order)
      (other == best || box_iou(boxes, best, other, 0.0) > threshold ? group : rest)
          .push_back(other);
    groups.push_back(std::move(group));
    order = std::move(rest);
  }
  return groups;
}

std::vector<int> continuous_box_nms(std::span<const float> boxes, std::span<const float> scores,
                                    double threshold) {
  std::vector<int> keep;
  for (const auto& group : nms_groups(boxes, scores, threshold)) keep.push_back(group.front());
  return keep;
}

}  // namespace limber
