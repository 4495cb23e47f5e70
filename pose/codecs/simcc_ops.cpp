#include "pose/codecs/simcc_ops.h"

#include <algorithm>
#include <cmath>
#include <numbers>

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

bool SimccAxis::is_near(double bin) const {
  return bin - 3 * sigma < double(bins) && bin + 3 * sigma + 1 >= 0;
}

kernels::Bell SimccAxis::bell(double bin, bool normalize) const {
  // Beyond 14.5 sigma the value is below the smallest f32.
  const int64_t first = std::max<int64_t>(0, int64_t(std::floor(bin - 14.5 * sigma)));
  const int64_t last = std::min(bins - 1, int64_t(std::ceil(bin + 14.5 * sigma)));
  return {.centre = bin - double(first),
          .factor = -1 / (2 * sigma * sigma),
          .height = normalize ? 1 / (sigma * std::sqrt(2 * std::numbers::pi)) : 1,
          .first = int32_t(first),
          .count = int32_t(last - first + 1)};
}

int SimccAxis::dark_kernel() const {
  const int size = int(std::floor((sigma * 20 - 7) / 3));
  return size % 2 == 0 ? size - 1 : size;
}

TensorLists drawn_lines(TargetSketch sketch) {
  for (const Drawing& d : sketch.drawings) {
    const Tensor lines = Tensor::empty(d.shape);
    kernels::draw_lines(one_thread(), lines.out(), {d.bells.data()}, int64_t(d.bells.size()),
                        d.shape[-1]);
    sketch.arrays[d.name] = {lines};
  }
  return std::move(sketch.arrays);
}

Tensor read_simcc_signals(const Tensor& t, int64_t bins, const char* codec, const char* axis) {
  check(t.defined(), codec, ": decode without ", axis);
  const bool single = t.rank() == 2;
  check((t.rank() == 3 || single) && t.size(-1) == bins, codec, ": ", axis, " ", t.shape(),
        ", (N, K, ", bins, ") is wanted");
  const Tensor f = t.to(DType::f32);
  return single ? f.alias(f.shape().inserted(0, 1)) : f;
}

Peaks find_simcc_peaks(std::span<const Tensor> axes, bool softmax) {
  check(axes.size() >= 2 && axes[0].rank() >= 1, "find_simcc_peaks: signals along x and y wanted");
  const Shape counts = axes[0].shape().without(-1);
  for (const Tensor& t : axes)
    check(t.rank() == axes[0].rank() && t.shape().without(-1) == counts,
          "find_simcc_peaks: signals ", axes[0].shape(), " and ", t.shape(),
          ", the same but for the last extent are wanted");
  const auto D = int64_t(axes.size()), rows = counts.numel();
  Peaks peaks{Tensor::empty(counts.inserted(counts.rank(), D)), Tensor::empty(counts)};
  float *location = peaks.locations.data<float>(), *value = peaks.values.data<float>();
  for (int64_t i = 0; i < rows; ++i, location += D) {
    for (int64_t d = 0; d < D; ++d) {
      const Tensor& signals = axes[size_t(d)];
      const int64_t n = signals.size(-1);
      const float* row = signals.data<float>() + i * n;
      const int64_t at = position_of_largest(row, n);
      location[d] = float(at);
      if (d > 1) continue;
      const float top = softmax ? softmax_peak(row, n, row[at]) : row[at];
      value[i] = d == 0 || value[i] > top ? top : value[i];
    }
    if (value[i] <= 0) std::fill_n(location, D, -1.0f);
  }
  return peaks;
}

void refine_simcc_dark(const Tensor& bins, int axis, const Tensor& signals, int blur_kernel_size) {
  const int64_t length = signals.size(-1), rows = signals.numel() / length;
  const int64_t axes = bins.size(-1);
  check(bins.numel() == rows * axes && axis < axes, "refine_simcc_dark: axis ", axis, " of bins ",
        bins.shape(), " for signals ", signals.shape());
  Blur blur(blur_kernel_size);
  for (int64_t i = 0; i < rows; ++i) {
    LogBlur logs(signals.data<float>() + i * length, 1, length, blur, 1e-3f, 50);
    float& bin = bins.data<float>()[axes * i + axis];
    double v[5];
    logs.patch(0, int64_t(std::floor(bin + 0.5f)) - 2, 1, 5, v);
    const double first = 0.5 * (v[3] - v[1]), second = 1e-9 + 0.25 * (v[4] - 2 * v[2] + v[0]);
    bin -= float(first / second);
  }
}

}  // namespace limber
