// Accuracies of network outputs; see accuracy.h.
#include "pose/core/accuracy.h"

#include <algorithm>

#include "tensor/error.h"

namespace limber {
namespace {

int64_t argmax(const float* values, int64_t count) {
  return std::max_element(values, values + count) - values;
}

// The place of each map's maximum, (-1, -1) where nothing is above 0.
Points heatmap_maxima(const Tensor& maps) {
  const int64_t N = maps.size(0), K = maps.size(1), H = maps.size(2), W = maps.size(3);
  Points out{N, K, 2, std::vector<double>(size_t(N * K * 2))};
  const Tensor f32 = maps.to(DType::f32).to(Device{});
  const float* map = f32.data<float>();
  for (int64_t i = 0; i < N * K; ++i, map += H * W) {
    const int64_t best = argmax(map, H * W);
    const bool found = map[best] > 0;
    out.values[size_t(2 * i)] = found ? double(best % W) : -1;
    out.values[size_t(2 * i + 1)] = found ? double(best / W) : -1;
  }
  return out;
}

Points simcc_maxima(const SimccVectors& vectors, double split_ratio) {
  const int64_t N = vectors.x.size(0), K = vectors.x.size(1);
  const int64_t X = vectors.x.size(2), Y = vectors.y.size(2);
  Points out{N, K, 2, std::vector<double>(size_t(N * K * 2))};
  const Tensor xs = vectors.x.to(DType::f32).to(Device{});
  const Tensor ys = vectors.y.to(DType::f32).to(Device{});
  for (int64_t i = 0; i < N * K; ++i) {
    const float *x = xs.data<float>() + i * X, *y = ys.data<float>() + i * Y;
    const int64_t bx = argmax(x, X), by = argmax(y, Y);
    const bool found = std::min(x[bx], y[by]) > 0;
    out.values[size_t(2 * i)] = (found ? double(bx) : -1) / split_ratio;
    out.values[size_t(2 * i + 1)] = (found ? double(by) : -1) / split_ratio;
  }
  return out;
}

// (N, 2) factors: as given, or (height, width) for every instance.
std::vector<double> factors_or(const Tensor& factors, int64_t N, int64_t height, int64_t width) {
  if (factors) return to_doubles(factors);
  std::vector<double> all;
  for (int64_t n = 0; n < N; ++n) all.insert(all.end(), {double(height), double(width)});
  return all;
}

PointMask above_zero(const Tensor& mask) {
  PointMask out;
  for (double v : to_doubles(mask)) out.push_back(v > 0);
  return out;
}

}  // namespace

PointAccuracy heatmap_pck(const Tensor& output, const Tensor& target, const Tensor& mask,
                          double threshold, const Tensor& factors) {
  check(output.rank() == 4 && output.shape() == target.shape(), "heatmap_pck: output ",
        output.shape(), ", target ", target.shape(), ", need (N, K, H, W)");
  return keypoint_pck_accuracy(heatmap_maxima(output), heatmap_maxima(target), above_zero(mask),
                               threshold,
                               factors_or(factors, output.size(0), output.size(2), output.size(3)));
}

PointAccuracy simcc_pck(const SimccVectors& output, const SimccVectors& target, double split_ratio,
                        const Tensor& mask, double threshold, const Tensor& factors) {
  check(output.x.rank() == 3 && output.x.shape() == target.x.shape() && output.y.rank() == 3 &&
            output.y.shape() == target.y.shape(),
        "simcc_pck: outputs ", output.x.shape(), ", ", output.y.shape(), ", targets ",
        target.x.shape(), ", ", target.y.shape());
  const auto width = int64_t(double(output.x.size(2)) / split_ratio);
  const auto height = int64_t(double(output.y.size(2)) / split_ratio);
  return keypoint_pck_accuracy(simcc_maxima(output, split_ratio), simcc_maxima(target, split_ratio),
                               above_zero(mask), threshold,
                               factors_or(factors, output.x.size(0), height, width));
}

double pose_pck_accuracy(const Tensor& output, const Tensor& target, const Tensor& weight,
                         double threshold) {
  return heatmap_pck(output, target, weight, threshold).average;
}

double simcc_pck_accuracy(const Tensor& x, const Tensor& y, const Tensor& target_x,
                          const Tensor& target_y, double split_ratio, const Tensor& weight,
                          double threshold) {
  return simcc_pck({x, y}, {target_x, target_y}, split_ratio, weight, threshold).average;
}

double coordinate_pck_accuracy(const Tensor& output, const Tensor& target, const Tensor& weight,
                               double threshold) {
  const Points pred = to_points(output), gt = to_points(target);
  const std::vector<double> ones(size_t(gt.N * gt.D), 1.0);
  return keypoint_pck_accuracy(pred, gt, above_zero(weight), threshold, ones).average;
}

}  // namespace limber
