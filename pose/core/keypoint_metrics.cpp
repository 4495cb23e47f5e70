// Distances of key points and what is averaged from them; see keypoint_metrics.h.
#include "pose/core/keypoint_metrics.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "pose/core/svd3.h"
#include "tensor/error.h"

namespace limber {
namespace {

void check_same(const char* what, const Points& pred, const Points& gt, const PointMask& mask) {
  check(pred.N == gt.N && pred.K == gt.K && pred.D == gt.D, what, ": predictions (", pred.N, ", ",
        pred.K, ", ", pred.D, ") and truth (", gt.N, ", ", gt.K, ", ", gt.D, ")");
  check(int64_t(mask.size()) == gt.N * gt.K, what, ": mask of ", mask.size(), " for ", gt.N, " x ",
        gt.K, " points");
}

// 3x3 matrices, row-major.
using Mat3 = std::array<double, 9>;

double determinant(const Mat3& m) {
  return m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) +
         m[2] * (m[3] * m[7] - m[4] * m[6]);
}

std::array<double, 3> mean_of(std::span<const double> points) {
  std::array<double, 3> mean{};
  for (size_t i = 0; i < points.size(); ++i) mean[i % 3] += points[i];
  for (double& m : mean) m /= double(points.size() / 3);
  return mean;
}

Points aligned(const Points& pred, const Points& gt, Alignment alignment) {
  Points moved = pred;
  const size_t size = size_t(pred.K * pred.D);
  for (int64_t n = 0; n < pred.N; ++n) {
    const std::span<double> p(moved.values.data() + size_t(n) * size, size);
    const std::span<const double> t(gt.values.data() + size_t(n) * size, size);
    if (alignment == Alignment::procrustes) {
      const std::vector<double> fitted = similarity_aligned(p, t);
      std::copy(fitted.begin(), fitted.end(), p.begin());
    } else if (alignment == Alignment::scale) {
      double dot = 0, square = 0;
      for (size_t i = 0; i < size; ++i) dot += p[i] * t[i], square += p[i] * p[i];
      for (double& v : p) v *= dot / square;
    }
  }
  return moved;
}

}  // namespace

void Points::append(const Points& more) {
  if (N == 0) {
    *this = more;
    return;
  }
  check(K == more.K && D == more.D, "points: (", K, ", ", D, ") key points and (", more.K, ", ",
        more.D, ") in one set");
  N += more.N;
  values.insert(values.end(), more.values.begin(), more.values.end());
}

std::vector<double> to_doubles(const Tensor& t) {
  const Tensor wide = t.to(Device{}).to(DType::f64);
  const auto span = wide.span<double>();
  return {span.begin(), span.end()};
}

Points to_points(const Tensor& t) {
  check(t.defined() && t.rank() >= 2, "points: no tensor of key points (N, K, D)");
  Points out;
  out.K = t.size(-2);
  out.D = t.size(-1);
  out.values = to_doubles(t);
  out.N = out.K * out.D == 0 ? 0 : t.numel() / (out.K * out.D);
  return out;
}

std::vector<float> point_distances(const Points& pred, const Points& gt, const PointMask& mask,
                                   std::span<const double> factors) {
  check_same("point_distances", pred, gt, mask);
  check(int64_t(factors.size()) == gt.N * gt.D, "point_distances: ", factors.size(),
        " factors for ", gt.N, " instances of ", gt.D, " coordinates");
  const int64_t N = gt.N, K = gt.K, D = gt.D;
  std::vector<float> out(size_t(N * K), -1.f);
  for (int64_t n = 0; n < N; ++n) {
    const std::span<const double> factor = factors.subspan(size_t(n * D), size_t(D));
    if (std::find(factor.begin(), factor.end(), 0.0) != factor.end()) continue;
    for (int64_t k = 0; k < K; ++k) {
      if (!mask[size_t(n * K + k)]) continue;
      double sum = 0;
      for (int64_t d = 0; d < D; ++d) {
        const double by = factor[size_t(d)] <= 0 ? 1e6 : factor[size_t(d)];
        const double difference = (pred.at(n, k, d) - gt.at(n, k, d)) / by;
        sum += difference * difference;
      }
      out[size_t(k * N + n)] = float(std::sqrt(sum));
    }
  }
  return out;
}

namespace {

PointAccuracy pck_of(const std::vector<float>& distances, int64_t K, int64_t N, double threshold) {
  PointAccuracy out;
  double sum = 0;
  for (int64_t k = 0; k < K; ++k) {
    int64_t valid = 0, near = 0;
    for (int64_t n = 0; n < N; ++n) {
      const float distance = distances[size_t(k * N + n)];
      if (distance == -1.f) continue;
      ++valid;
      near += distance < float(threshold);
    }
    out.per_keypoint.push_back(valid == 0 ? -1 : double(near) / double(valid));
    if (valid == 0) continue;
    sum += out.per_keypoint.back();
    ++out.counted;
  }
  out.average = out.counted == 0 ? 0 : sum / out.counted;
  return out;
}

}  // namespace

PointAccuracy keypoint_pck_accuracy(const Points& pred, const Points& gt, const PointMask& mask,
                                    double threshold, std::span<const double> factors) {
  return pck_of(point_distances(pred, gt, mask, factors), gt.K, gt.N, threshold);
}

double keypoint_auc(const Points& pred, const Points& gt, const PointMask& mask, double factor,
                    int thresholds) {
  check(thresholds > 0, "keypoint_auc: ", thresholds, " thresholds");
  const std::vector<double> factors(size_t(gt.N * gt.D), factor);
  const std::vector<float> distances = point_distances(pred, gt, mask, factors);
  double sum = 0;
  for (int i = 0; i < thresholds; ++i)
    sum += pck_of(distances, gt.K, gt.N, double(i) / thresholds).average;
  return sum / thresholds;
}

double keypoint_nme(const Points& pred, const Points& gt, const PointMask& mask,
                    std::span<const double> factors) {
  double sum = 0;
  int64_t count = 0;
  for (float distance : point_distances(pred, gt, mask, factors)) {
    if (distance == -1.f) continue;
    sum += distance;
    ++count;
  }
  return sum / double(std::max<int64_t>(1, count));
}

double keypoint_epe(const Points& pred, const Points& gt, const PointMask& mask) {
  return keypoint_nme(pred, gt, mask, std::vector<double>(size_t(gt.N * gt.D), 1.0));
}

double keypoint_mpjpe(const Points& pred, const Points& gt, const PointMask& mask,
                      Alignment alignment) {
  check_same("keypoint_mpjpe", pred, gt, mask);
  const Points moved = aligned(pred, gt, alignment);
  double sum = 0;
  int64_t count = 0;
  for (int64_t n = 0; n < gt.N; ++n)
    for (int64_t k = 0; k < gt.K; ++k) {
      if (!mask[size_t(n * gt.K + k)]) continue;
      double square = 0;
      for (int64_t d = 0; d < gt.D; ++d) {
        const double difference = moved.at(n, k, d) - gt.at(n, k, d);
        square += difference * difference;
      }
      sum += std::sqrt(square);
      ++count;
    }
  check(count > 0, "keypoint_mpjpe: no point is valid");
  return sum / double(count);
}

std::vector<double> similarity_aligned(std::span<const double> source,
                                       std::span<const double> target) {
  check(source.size() == target.size() && source.size() % 3 == 0 && !source.empty(),
        "similarity_aligned: ", source.size(), " and ", target.size(), " coordinates, need (K, 3)");
  const auto from = mean_of(source), to = mean_of(target);
  Mat3 K{};  // sum over points of (source - from) (target - to)^T
  double variance = 0;
  for (size_t i = 0; i < source.size(); i += 3)
    for (size_t a = 0; a < 3; ++a) {
      const double s = source[i + a] - from[a];
      variance += s * s;
      for (size_t b = 0; b < 3; ++b) K[3 * a + b] += s * (target[i + b] - to[b]);
    }
  const Svd3 svd = svd3(K);
  // R = V Z U^T with Z = diag(1, 1, sign det(U V^T)): a rotation, never a mirror image.
  const double sign = determinant(svd.u) * determinant(svd.v) < 0 ? -1 : 1;
  Mat3 R{};
  for (size_t a = 0; a < 3; ++a)
    for (size_t b = 0; b < 3; ++b)
      R[3 * a + b] = svd.v[3 * a] * svd.u[3 * b] + svd.v[3 * a + 1] * svd.u[3 * b + 1] +
                     sign * svd.v[3 * a + 2] * svd.u[3 * b + 2];
  double trace = 0;  // of R K
  for (size_t a = 0; a < 3; ++a)
    for (size_t b = 0; b < 3; ++b) trace += R[3 * a + b] * K[3 * b + a];
  const double scale = variance > 0 ? trace / variance : 0;
  std::vector<double> out(source.size());
  for (size_t i = 0; i < source.size(); i += 3)
    for (size_t a = 0; a < 3; ++a) {
      double turned = 0;
      for (size_t b = 0; b < 3; ++b) turned += R[3 * a + b] * (source[i + b] - from[b]);
      out[i + a] = scale * turned + to[a];
    }
  return out;
}

double multilabel_accuracy(std::span<const double> pred, std::span<const double> gt,
                           std::span<const uint8_t> mask, int64_t labels) {
  check(pred.size() == gt.size() && pred.size() == mask.size() && labels > 0,
        "multilabel_accuracy: ", pred.size(), " predictions, ", gt.size(), " truths, ", mask.size(),
        " flags");
  int64_t right = 0, rows = 0;
  for (size_t row = 0; row < pred.size(); row += size_t(labels)) {
    bool valid = true, all = true;
    for (size_t i = row; i < row + size_t(labels); ++i) {
      valid = valid && mask[i];
      all = all && (pred[i] - 0.5) * (gt[i] - 0.5) > 0;
    }
    rows += valid;
    right += valid && all;
  }
  return rows == 0 ? 0 : double(right) / double(rows);
}

}  // namespace limber
