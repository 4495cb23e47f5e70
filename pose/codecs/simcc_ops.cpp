#include "pose/codecs/simcc_ops.h"

#include <cmath>

#include "pose/codecs/blur.h"

namespace limber {
namespace {

// The largest value of softmax(row).
float softmax_peak(const float* row, int64_t n, float peak) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += std::exp(double(row[i] - peak));
  return float(1 / sum);
}

}  // namespace

Peaks find_simcc_peaks(const Tensor& x, const Tensor& y, bool softmax) {
  check(x.rank() >= 1 && x.rank() == y.rank() && x.shape().without(-1) == y.shape().without(-1),
        "find_simcc_peaks: signals ", x.shape(), " and ", y.shape(),
        ", the same but for the last extent are wanted");
  const Shape counts = x.shape().without(-1);
  Peaks peaks{Tensor::empty(counts.inserted(counts.rank(), 2)), Tensor::empty(counts)};
  const int64_t nx = x.size(-1), ny = y.size(-1);
  const float *row_x = x.data<float>(), *row_y = y.data<float>();
  float *location = peaks.locations.data<float>(), *value = peaks.values.data<float>();
  for (int64_t i = 0; i < counts.numel(); ++i, row_x += nx, row_y += ny, location += 2) {
    const int64_t at_x = position_of_largest(row_x, nx), at_y = position_of_largest(row_y, ny);
    float vx = row_x[at_x], vy = row_y[at_y];
    if (softmax) {
      vx = softmax_peak(row_x, nx, vx);
      vy = softmax_peak(row_y, ny, vy);
    }
    value[i] = vx > vy ? vy : vx;
    location[0] = value[i] <= 0 ? -1.0f : float(at_x);
    location[1] = value[i] <= 0 ? -1.0f : float(at_y);
  }
  return peaks;
}

void refine_simcc_dark(const Tensor& bins, int axis, const Tensor& signals, int blur_kernel_size) {
  const int64_t length = signals.size(-1), rows = signals.numel() / length;
  check(bins.numel() == rows * 2, "refine_simcc_dark: bins ", bins.shape(), " for signals ",
        signals.shape());
  Blur blur(blur_kernel_size);
  for (int64_t i = 0; i < rows; ++i) {
    LogBlur logs(signals.data<float>() + i * length, 1, length, blur, 1e-3f, 50);
    float& bin = bins.data<float>()[2 * i + axis];
    double v[5];
    logs.patch(0, int64_t(std::floor(bin + 0.5f)) - 2, 1, 5, v);
    const double first = 0.5 * (v[3] - v[1]), second = 1e-9 + 0.25 * (v[4] - 2 * v[2] + v[0]);
    bin -= float(first / second);
  }
}

}  // namespace limber
