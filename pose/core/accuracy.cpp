#include "pose/core/accuracy.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace limber {
namespace {

struct Point {
  double x, y;
};

// The first maximum of n numbers, and its index.
std::pair<float, int64_t> maximum(const float* v, int64_t n) {
  const float* top = std::max_element(v, v + n);
  return {*top, top - v};
}

std::vector<Point> map_maxima(const Tensor& maps) {
  const int64_t width = maps.size(3), pixels = maps.size(2) * width;
  std::vector<Point> points;
  for (int64_t i = 0; i < maps.size(0) * maps.size(1); ++i) {
    const auto [value, at] = maximum(maps.data<float>() + i * pixels, pixels);
    points.push_back(value > 0 ? Point{double(at % width), double(at / width)} : Point{-1, -1});
  }
  return points;
}

std::vector<Point> axis_maxima(const Tensor& x, const Tensor& y, double split_ratio) {
  const int64_t nx = x.size(2), ny = y.size(2);
  std::vector<Point> points;
  for (int64_t i = 0; i < x.size(0) * x.size(1); ++i) {
    const auto [vx, ax] = maximum(x.data<float>() + i * nx, nx);
    const auto [vy, ay] = maximum(y.data<float>() + i * ny, ny);
    const Point p = std::min(vx, vy) > 0 ? Point{double(ax), double(ay)} : Point{-1, -1};
    points.push_back({p.x / split_ratio, p.y / split_ratio});
  }
  return points;
}

double share_within(const std::vector<Point>& found, const std::vector<Point>& wanted,
                    const Tensor& weight, Point unit, double threshold) {
  const int64_t N = weight.size(0), K = weight.size(1);
  double total = 0;
  int counted = 0;
  for (int64_t k = 0; k < K; ++k) {
    int near = 0, valid = 0;
    for (int64_t n = 0; n < N; ++n) {
      const size_t i = size_t(n * K + k);
      if (weight.data<float>()[i] <= 0) continue;
      ++valid;
      near += std::hypot((found[i].x - wanted[i].x) / unit.x, (found[i].y - wanted[i].y) / unit.y) <
              threshold;
    }
    if (valid == 0) continue;
    total += double(near) / valid;
    ++counted;
  }
  return counted > 0 ? total / counted : 0;
}

}  // namespace

double pose_pck_accuracy(const Tensor& output, const Tensor& target, const Tensor& weight,
                         double threshold) {
  return share_within(map_maxima(output), map_maxima(target), weight,
                      {double(output.size(2)), double(output.size(3))}, threshold);
}

double simcc_pck_accuracy(const Tensor& x, const Tensor& y, const Tensor& target_x,
                          const Tensor& target_y, double split_ratio, const Tensor& weight,
                          double threshold) {
  const Point unit{std::floor(double(y.size(2)) / split_ratio),
                   std::floor(double(x.size(2)) / split_ratio)};
  return share_within(axis_maxima(x, y, split_ratio), axis_maxima(target_x, target_y, split_ratio),
                      weight, unit, threshold);
}

double coordinate_pck_accuracy(const Tensor& output, const Tensor& target, const Tensor& weight,
                               double threshold) {
  const auto points = [](const Tensor& t) {
    std::vector<Point> list;
    for (int64_t i = 0; i < t.numel(); i += t.size(-1))
      list.push_back({t.data<float>()[i], t.data<float>()[i + 1]});
    return list;
  };
  return share_within(points(output), points(target), weight, {1, 1}, threshold);
}

}  // namespace limber
