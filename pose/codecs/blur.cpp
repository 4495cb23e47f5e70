#include "pose/codecs/blur.h"

#include <algorithm>
#include <cmath>

#include "pose/codecs/peaks.h"
#include "tensor/line_filter.h"

namespace limber {
namespace {

// Where pixel i of a row of n lands when the row is mirrored at both ends, over and over.
int64_t reflected(int64_t i, int64_t n) {
  if (n == 1) return 0;
  while (i < 0 || i >= n) i = i < 0 ? -i : 2 * (n - 1) - i;
  return i;
}

// line (n) with r pixels of border on both sides -> padded (n + 2 r).
void pad_line(const float* line, int64_t n, int64_t r, Border border, float* padded) {
  std::copy(line, line + n, padded + r);
  for (int64_t i = 1; i <= r; ++i) {
    padded[r - i] = border == Border::zero ? 0 : line[reflected(-i, n)];
    padded[r + n - 1 + i] = border == Border::zero ? 0 : line[reflected(n - 1 + i, n)];
  }
}

Tensor keeping_peak(const Tensor& maps, int64_t height, int64_t width, int kernel_size) {
  Blur blur(kernel_size);
  Tensor out = maps.clone();
  float* map = out.data<float>();
  for (const float* end = map + out.numel(); map != end; map += height * width)
    blur.keep_peak(map, height, width);
  return out;
}

}  // namespace

std::vector<float> gaussian_kernel(int size) {
  check(size > 0 && size % 2 == 1, "gaussian_kernel: the size must be odd and positive, not ",
        size);
  switch (size) {
    case 1:
      return {1};
    case 3:
      return {0.25f, 0.5f, 0.25f};
    case 5:
      return {0.0625f, 0.25f, 0.375f, 0.25f, 0.0625f};
    case 7:
      return {0.03125f, 0.109375f, 0.21875f, 0.28125f, 0.21875f, 0.109375f, 0.03125f};
    case 9:
      return {0.015625f,   0.05078125f, 0.1171875f,  0.19921875f, 0.234375f,
              0.19921875f, 0.1171875f,  0.05078125f, 0.015625f};
    default:
      break;
  }
  const double sigma = ((size - 1) * 0.5 - 1) * 0.3 + 0.8;
  std::vector<double> weights(static_cast<size_t>(size));
  double sum = 0;
  for (int i = 0; i < size; ++i) {
    const double d = i - (size - 1) * 0.5;
    sum += weights[size_t(i)] = std::exp(-d * d / (2 * sigma * sigma));
  }
  std::vector<float> kernel;
  for (double w : weights) kernel.push_back(float(w / sum));
  return kernel;
}

Blur::Blur(int kernel_size) : kernel_(gaussian_kernel(kernel_size)) {}

void Blur::reserve(int64_t height, int64_t width) {
  const int64_t border = 2 * (int64_t(kernel_.size()) / 2);
  padded_.reserve(size_t(width + border));
  rows_.reserve(size_t((height + border) * width));
  copy_.reserve(size_t(height * width));
}

void Blur::apply(float* map, int64_t height, int64_t width, Border border) {
  const int64_t r = int64_t(kernel_.size()) / 2;
  padded_.resize(size_t(width + 2 * r));
  if (height == 1) {
    pad_line(map, width, r, border, padded_.data());
    filter_rows(padded_.data(), kernel_, 1, width, map);
    return;
  }
  // Rows first, into a map with r rows of border above and below, then columns back.
  rows_.assign(size_t((height + 2 * r) * width), 0.0f);
  const auto row = [&](int64_t y) { return rows_.data() + (y + r) * width; };
  for (int64_t y = 0; y < height; ++y) {
    pad_line(map + y * width, width, r, border, padded_.data());
    filter_rows(padded_.data(), kernel_, 1, width, row(y));
  }
  if (border == Border::reflect) {
    for (int64_t i = 1; i <= r; ++i) {
      std::copy_n(row(reflected(-i, height)), width, row(-i));
      std::copy_n(row(reflected(height - 1 + i, height)), width, row(height - 1 + i));
    }
  }
  filter_columns(rows_.data(), kernel_, height, width, map);
}

void Blur::keep_peak(float* map, int64_t height, int64_t width) {
  const int64_t area = height * width;
  const float before = largest(map, area);
  apply(map, height, width, Border::zero);
  const float scale = before / largest(map, area);
  for (int64_t i = 0; i < area; ++i) map[i] *= scale;
}

float* Blur::copy(const float* map, int64_t height, int64_t width) {
  copy_.assign(map, map + height * width);
  return copy_.data();
}

Tensor blur_keeping_peak(const Tensor& maps, int kernel_size) {
  return keeping_peak(maps, maps.size(-2), maps.size(-1), kernel_size);
}

Tensor blur_keeping_peak_1d(const Tensor& signals, int kernel_size) {
  return keeping_peak(signals, 1, signals.size(-1), kernel_size);
}

LogBlur::LogBlur(const float* map, int64_t height, int64_t width, Blur& blur, float floor,
                 float ceiling)
    : map_(map),
      height_(height),
      width_(width),
      blur_(blur),
      floor_(floor),
      ceiling_(ceiling),
      peak_(largest(map, height * width)) {}

bool LogBlur::local_patch(int64_t top, int64_t left, int rows, int columns, double* out) {
  const std::vector<float>& kernel = blur_.kernel();
  const int64_t r = int64_t(kernel.size()) / 2;
  const auto column = [&](int c) { return std::clamp<int64_t>(left + c, 0, width_ - 1); };
  // Each source row is blurred along x at the wanted columns only and added to the rows it feeds.
  std::fill(out, out + rows * columns, 0.0);
  const int64_t first = std::clamp<int64_t>(top, 0, height_ - 1);
  const int64_t last = std::clamp<int64_t>(top + rows - 1, 0, height_ - 1);
  for (int64_t y = std::max<int64_t>(0, first - r); y <= std::min(height_ - 1, last + r); ++y) {
    const bool flat = height_ == 1;
    for (int c = 0; c < columns; ++c) {
      const int64_t x = column(c);
      float sum = 0;
      for (int64_t s = std::max<int64_t>(0, x - r); s <= std::min(width_ - 1, x + r); ++s)
        sum += kernel[size_t(s - x + r)] * map_[y * width_ + s];
      for (int q = 0; q < rows; ++q) {
        const int64_t distance = y - std::clamp<int64_t>(top + q, 0, height_ - 1);
        if (distance < -r || distance > r) continue;
        out[q * columns + c] += flat ? sum : double(kernel[size_t(distance + r)]) * sum;
      }
    }
  }
  for (int i = 0; i < rows * columns; ++i)
    if (!(out[i] > floor_)) return false;
  return true;
}

void LogBlur::patch(int64_t top, int64_t left, int rows, int columns, double* out) {
  // Blurring with zero borders only lowers a positive peak, so the scale is at least 1 and a value
  // above the floor stays there; nothing scaled exceeds the peak.
  if (whole_ == nullptr && peak_ <= ceiling_ && local_patch(top, left, rows, columns, out)) {
    for (int i = 0; i < rows * columns; ++i) out[i] = std::log(out[i]);
    return;
  }
  if (whole_ == nullptr) {
    float* whole = blur_.copy(map_, height_, width_);
    blur_.keep_peak(whole, height_, width_);
    whole_ = whole;
  }
  for (int q = 0; q < rows; ++q)
    for (int c = 0; c < columns; ++c) {
      const int64_t y = std::clamp<int64_t>(top + q, 0, height_ - 1);
      const int64_t x = std::clamp<int64_t>(left + c, 0, width_ - 1);
      const float v = whole_[y * width_ + x];
      // Not std::clamp: NaN goes through.
      out[q * columns + c] = std::log(double(v < floor_ ? floor_ : v > ceiling_ ? ceiling_ : v));
    }
}

}  // namespace limber
