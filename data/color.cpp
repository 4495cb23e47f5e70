#include "data/color.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "data/image.h"

namespace limber {
namespace {

// Divisions by a byte in 12-bit fixed point, as OpenCV tabulates them.
struct DivisionTables {
  std::array<int, 256> saturation{}, hue{};
  DivisionTables() {
    for (int i = 1; i < 256; ++i) {
      saturation[size_t(i)] = int(std::lrint((255 << 12) / double(i)));
      hue[size_t(i)] = int(std::lrint((180 << 12) / (6.0 * i)));
    }
  }
};

// Index of a mirrored position, as in "dcb|abcd|cba".
int64_t mirrored(int64_t i, int64_t n) {
  if (n == 1) return 0;
  const int64_t period = 2 * (n - 1);
  i = ((i % period) + period) % period;
  return i < n ? i : period - i;
}

void check_filter(const Tensor& image, int k, const char* op) {
  check_image(image, op);
  check(k > 0 && k % 2 == 1, op, ": window of ", k, " is not odd and positive");
}

// Rows then columns with the given integer weights; `finish` turns the sum into a byte.
template <class Finish>
Tensor separable_filter(const Tensor& image, const std::vector<int>& weights, Finish finish) {
  const int64_t H = image.size(0), W = image.size(1), C = image.size(2);
  const int64_t k = int64_t(weights.size()), half = k / 2;
  const uint8_t* from = image.data<uint8_t>();
  std::vector<int> across(size_t(H * W * C));
  for (int64_t y = 0; y < H; ++y)
    for (int64_t x = 0; x < W; ++x)
      for (int64_t t = 0; t < k; ++t) {
        const int64_t u = x + t - half;
        const uint8_t* p = from + (y * W + (u >= 0 && u < W ? u : mirrored(u, W))) * C;
        for (int64_t c = 0; c < C; ++c)
          across[size_t((y * W + x) * C + c)] += weights[size_t(t)] * p[c];
      }
  Tensor out = Tensor::empty(image.shape(), DType::u8);
  std::vector<int64_t> sum(size_t(W * C));
  for (int64_t y = 0; y < H; ++y) {
    std::fill(sum.begin(), sum.end(), 0);
    for (int64_t t = 0; t < k; ++t) {
      const int* row = across.data() + mirrored(y + t - half, H) * W * C;
      for (int64_t i = 0; i < W * C; ++i) sum[size_t(i)] += int64_t(weights[size_t(t)]) * row[i];
    }
    uint8_t* to = out.data<uint8_t>() + y * W * C;
    for (int64_t i = 0; i < W * C; ++i) to[i] = finish(sum[size_t(i)]);
  }
  return out;
}

}  // namespace

Tensor bgr_to_hsv(const Tensor& bgr) {
  check_image(bgr, "bgr_to_hsv");
  static const DivisionTables tables;
  Tensor out = Tensor::empty(bgr.shape(), DType::u8);
  const uint8_t* p = bgr.data<uint8_t>();
  uint8_t* q = out.data<uint8_t>();
  for (const uint8_t* end = p + bgr.numel(); p < end; p += 3, q += 3) {
    const int b = p[0], g = p[1], r = p[2];
    const int value = std::max({b, g, r}), range = value - std::min({b, g, r});
    const int sector = value == r ? g - b : value == g ? b - r + 2 * range : r - g + 4 * range;
    const int hue = (sector * tables.hue[size_t(range)] + (1 << 11)) >> 12;
    q[0] = uint8_t(hue + (hue < 0 ? 180 : 0));
    q[1] = uint8_t((range * tables.saturation[size_t(value)] + (1 << 11)) >> 12);
    q[2] = uint8_t(value);
  }
  return out;
}

Tensor hsv_to_bgr(const Tensor& hsv) {
  check_image(hsv, "hsv_to_bgr");
  constexpr int order[6][3] = {{1, 3, 0}, {1, 0, 2}, {3, 0, 1}, {0, 2, 1}, {0, 1, 3}, {2, 1, 0}};
  Tensor out = Tensor::empty(hsv.shape(), DType::u8);
  const uint8_t* p = hsv.data<uint8_t>();
  uint8_t* q = out.data<uint8_t>();
  for (const uint8_t* end = p + hsv.numel(); p < end; p += 3, q += 3) {
    const float s = float(p[1]) * (1.0f / 255), v = float(p[2]) * (1.0f / 255);
    float h = float(p[0]) * (6.0f / 180);
    const int whole = int(h);
    h -= float(whole);
    const float shades[4] = {v, v * (1 - s), v * (1 - s * h), v * (1 - s * (1 - h))};
    const int* pick = order[whole % 6];
    for (int c = 0; c < 3; ++c) q[c] = uint8_t(shades[pick[c]] * 255);  // cut, not rounded
  }
  return out;
}

Tensor box_blur(const Tensor& image, int k) {
  check_filter(image, k, "box_blur");
  const double share = 1.0 / (k * k);
  return separable_filter(image, std::vector<int>(size_t(k), 1),
                          [&](int64_t sum) { return uint8_t(std::lrint(double(sum) * share)); });
}

Tensor gaussian_blur(const Tensor& image, int k, double sigma) {
  check_filter(image, k, "gaussian_blur");
  if (sigma <= 0) sigma = 0.3 * ((k - 1) * 0.5 - 1) + 0.8;
  std::vector<double> shape(static_cast<size_t>(k));
  double total = 0;
  for (int i = 0; i < k; ++i) {
    const double d = i - (k - 1) * 0.5;
    total += shape[size_t(i)] = std::exp(-d * d / (2 * sigma * sigma));
  }
  std::vector<int> weights;
  int rest = 256;
  for (double s : shape) {
    weights.push_back(int(std::lrint(s / total * 256)));
    rest -= weights.back();
  }
  weights[size_t(k / 2)] += rest;  // they must add up to one
  return separable_filter(image, weights,
                          [](int64_t sum) { return uint8_t((sum + (1 << 15)) >> 16); });
}

// A histogram of the window moves along each row and so does its median (Huang, Yang and Tang
// 1979): 2 k updates per pixel instead of sorting k * k.
Tensor median_blur(const Tensor& image, int k) {
  check_filter(image, k, "median_blur");
  const int64_t H = image.size(0), W = image.size(1), C = image.size(2), half = k / 2;
  const uint8_t* from = image.data<uint8_t>();
  Tensor out = Tensor::empty(image.shape(), DType::u8);
  const int rank = k * k / 2;  // so many values of the window come before the median
  for (int64_t y = 0; y < H; ++y)
    for (int64_t c = 0; c < C; ++c) {
      std::array<int, 256> counts{};
      int median = 0, below = 0;  // below: values smaller than `median`
      const auto change = [&](int64_t x, int by) {
        const int64_t u = std::clamp<int64_t>(x, 0, W - 1);
        for (int64_t v = y - half; v <= y + half; ++v) {
          const int value = from[(std::clamp<int64_t>(v, 0, H - 1) * W + u) * C + c];
          counts[size_t(value)] += by;
          if (value < median) below += by;
        }
      };
      for (int64_t x = -half; x <= half; ++x) change(x, 1);
      for (int64_t x = 0; x < W; ++x) {
        if (x > 0) change(x + half, 1), change(x - half - 1, -1);
        while (below > rank) below -= counts[size_t(--median)];
        while (below + counts[size_t(median)] <= rank) below += counts[size_t(median++)];
        out.data<uint8_t>()[(y * W + x) * C + c] = uint8_t(median);
      }
    }
  return out;
}

}  // namespace limber
