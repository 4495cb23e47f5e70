// How near predicted key points are to the true ones: PCK, AUC, EPE, NME, MPJPE.
//
// N counts instances, K key points, D coordinates (2 or 3). Distances are rounded to single
// precision before they meet a threshold, as the reference stores them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace limber {

// Key points of N instances, (N, K, D) in row-major order.
struct Points {
  int64_t N = 0, K = 0, D = 2;
  std::vector<double> values;

  double at(int64_t n, int64_t k, int64_t d) const { return values[size_t((n * K + k) * D + d)]; }
  double& at(int64_t n, int64_t k, int64_t d) { return values[size_t((n * K + k) * D + d)]; }
  void append(const Points& more);  // along N; throws where K or D differ
};

Points to_points(const Tensor& t);  // (K, D), (N, K, D) or (1, N, K, D); any numeric type
std::vector<double> to_doubles(const Tensor& t);

// (N, K): which points count.
using PointMask = std::vector<uint8_t>;

struct PointAccuracy {
  std::vector<double> per_keypoint;  // K; -1 where no valid point
  double average = 0;                // over the key points that have one
  int counted = 0;                   // how many have one
};

// The (K, N) distances |(pred - gt) / factor|; -1 where the mask is 0 or the instance's factor has
// a zero. `factors`: (N, D); negative ones count as 1e6.
std::vector<float> point_distances(const Points& pred, const Points& gt, const PointMask& mask,
                                   std::span<const double> factors);

// The share of distances below `threshold`, per key point.
PointAccuracy keypoint_pck_accuracy(const Points& pred, const Points& gt, const PointMask& mask,
                                    double threshold, std::span<const double> factors);
// The mean PCK over the thresholds i / thresholds, i = 0 ... thresholds - 1, of distances divided
// by `factor`.
double keypoint_auc(const Points& pred, const Points& gt, const PointMask& mask, double factor,
                    int thresholds = 20);
// The mean distance of valid points: in pixels, and divided by `factors` (N, D).
double keypoint_epe(const Points& pred, const Points& gt, const PointMask& mask);
double keypoint_nme(const Points& pred, const Points& gt, const PointMask& mask,
                    std::span<const double> factors);

// none: as they are. procrustes: each prediction first moved, turned and scaled onto its truth.
// scale: scaled only, by <pred, gt> / <pred, pred>.
enum class Alignment { none, procrustes, scale };

// The mean Euclidean distance over valid points. Alignment looks at all points. Throws when no
// point is valid.
double keypoint_mpjpe(const Points& pred, const Points& gt, const PointMask& mask,
                      Alignment alignment = Alignment::none);

// The similarity transform (rotation without reflection, scale, shift) of `source` (K, 3) nearest
// to `target` (K, 3) in the least-squares sense (Umeyama 1991); returns the moved source.
std::vector<double> similarity_aligned(std::span<const double> source,
                                       std::span<const double> target);

// The share of rows whose labels are all on the right side of 0.5, among the rows whose labels are
// all valid; 0 if there is none. pred, gt, mask: (N, L), L = labels.
double multilabel_accuracy(std::span<const double> pred, std::span<const double> gt,
                           std::span<const uint8_t> mask, int64_t labels);

}  // namespace limber
