// Non-maximum suppression of boxes and of poses, and the OKS similarity that the latter use.
//
// All functions return indices of what is kept, best first. Equal scores: the later index first
// (the reference reverses an ascending sort), except nms_groups, where the earlier comes first.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace limber {

// COCO's 17 OKS sigmas, the default of the functions below.
std::span<const double> coco_sigmas();

struct PoseCandidate {
  std::vector<double> keypoints;  // (K, 3): x, y, score
  double score = 0;
  double area = 0;
};

struct OksOptions {
  std::vector<double> sigmas;  // K; empty: COCO's
  double visible_above = -1;   // only points that both score above it count; negative: all
};

// Object key-point similarity of two predictions: the mean over points of
// exp(-d^2 / (2 (2 sigma)^2 area)), area = the mean of the two. 0 when no point counts.
float pose_oks(const PoseCandidate& a, const PoseCandidate& b, const OksOptions& options = {});

// Keeps the best, drops every other whose OKS with it exceeds the threshold, and so on.
std::vector<int> oks_nms(std::span<const PoseCandidate> poses, double threshold,
                         const OksOptions& options = {});
// Scores of the others decay by exp(-OKS^2 / threshold) each round; at most max_dets are kept.
std::vector<int> soft_oks_nms(std::span<const PoseCandidate> poses, double threshold,
                              int max_dets = 20, const OksOptions& options = {});

// Two poses are near when more than `min_near` joints are nearer than distance_share times the
// diagonal of the first pose; the best of each near group is kept (DEKR, Geng et al. 2021).
struct NearbyJointsOptions {
  double distance_share = 0.05;
  int min_near = -1;  // negative: half of the joints, rounded down
  int max_dets = -1;  // not positive: no limit
};
// keypoints: (N, K, 2).
std::vector<int> nearby_joints_nms(std::span<const double> keypoints,
                                   std::span<const double> scores, int64_t num_keypoints,
                                   const NearbyJointsOptions& options = {});

// Boxes (N, 4) as x1, y1, x2, y2 whose corners are pixels: widths are x2 - x1 + 1.
std::vector<int> box_nms(std::span<const double> boxes, std::span<const double> scores,
                         double threshold);

// Greedy suppression of boxes (N, 4) with continuous corners above an IoU of `threshold`. Each
// group starts with the kept box, followed by what it suppressed.
std::vector<std::vector<int>> nms_groups(std::span<const float> boxes,
                                         std::span<const float> scores, double threshold = 0.65);
// The first of each group.
std::vector<int> continuous_box_nms(std::span<const float> boxes, std::span<const float> scores,
                                    double threshold = 0.65);

}  // namespace limber
