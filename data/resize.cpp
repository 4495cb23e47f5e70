// Image resizing with OpenCV's rules: half-pixel centres; u8 bilinear and bicubic in fixed point
// (11 bits of weight); an exact halving by bilinear is an area average; area enlargement is a
// bilinear of its own kind. The recorded numbers are in the transforms' resize file.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "data/warp.h"

namespace limber {
namespace {

constexpr int kBits = 11;
constexpr int kOne = 1 << kBits;

// Which source samples make output sample i, and with what weights; Taps of them.
template <int Taps>
struct Axis {
  std::vector<std::array<int, Taps>> index;
  std::vector<std::array<float, Taps>> weight;
  std::vector<std::array<int, Taps>> fixed;
};

template <int Taps>
void add_taps(Axis<Taps>& axis, int first, const std::array<float, Taps>& weights, int from) {
  std::array<int, Taps> index, fixed;
  for (int t = 0; t < Taps; ++t) {
    index[size_t(t)] = std::clamp(first + t, 0, from - 1);
    fixed[size_t(t)] = int(std::lrint(weights[size_t(t)] * float(kOne)));
  }
  axis.index.push_back(index);
  axis.weight.push_back(weights);
  axis.fixed.push_back(fixed);
}

// Beyond the edge both taps are the edge sample. Across, OpenCV then gives all the weight to one;
// down, it keeps both weights, whose rounded shares may add up to a grey level less.
Axis<2> linear_axis(int from, int to, bool area, bool across) {
  Axis<2> axis;
  const double scale = double(from) / to, inverse_scale = double(to) / from;
  for (int i = 0; i < to; ++i) {
    int first;
    float f;
    if (area) {
      first = int(std::floor(i * scale));
      f = float((i + 1) - (first + 1) * inverse_scale);
      f = f <= 0 ? 0 : f - std::floor(f);
    } else {
      f = float((i + 0.5) * scale - 0.5);
      first = int(std::floor(f));
      f -= float(first);
    }
    if (across && first < 0) f = 0, first = 0;
    if (across && first >= from - 1) f = 0, first = from - 1;
    add_taps<2>(axis, first, {1 - f, f}, from);
  }
  return axis;
}

Axis<4> cubic_axis(int from, int to) {
  Axis<4> axis;
  const double scale = double(from) / to;
  constexpr float A = -0.75f;
  for (int i = 0; i < to; ++i) {
    float f = float((i + 0.5) * scale - 0.5);
    const int first = int(std::floor(f));
    f -= float(first);
    const float a = ((A * (f + 1) - 5 * A) * (f + 1) + 8 * A) * (f + 1) - 4 * A;
    const float b = ((A + 2) * f - (A + 3)) * f * f + 1;
    const float c = ((A + 2) * (1 - f) - (A + 3)) * (1 - f) * (1 - f) + 1;
    add_taps<4>(axis, first - 1, {a, b, c, 1 - a - b - c}, from);
  }
  return axis;
}

struct Size {
  int64_t H, W, C, out_H, out_W;
};

// One source row, stretched to the output's width.
template <class T, class Sum, int Taps>
void stretch_row(const T* row, const Axis<Taps>& axis, int64_t C, Sum* out) {
  for (size_t i = 0; i < axis.index.size(); ++i)
    for (int64_t c = 0; c < C; ++c) {
      Sum sum = 0;
      for (size_t t = 0; t < size_t(Taps); ++t) {
        const T value = row[axis.index[i][t] * C + c];
        if constexpr (std::is_same_v<T, float>)
          sum += value * axis.weight[i][t];
        else
          sum += value * axis.fixed[i][t];
      }
      *out++ = sum;
    }
}

template <int Taps>
uint8_t combine(const std::array<const int*, Taps>& rows, const std::array<int, Taps>& w,
                int64_t i) {
  if constexpr (Taps == 2)
    return uint8_t((((w[0] * (rows[0][i] >> 4)) >> 16) + ((w[1] * (rows[1][i] >> 4)) >> 16) + 2) >>
                   2);
  int64_t sum = int64_t(1) << (2 * kBits - 1);
  for (size_t t = 0; t < size_t(Taps); ++t) sum += int64_t(rows[t][i]) * w[t];
  return uint8_t(std::clamp<int64_t>(sum >> (2 * kBits), 0, 255));
}

// Rows are stretched once each and kept for the output rows that share them.
template <class T, class Sum, int Taps>
void separable(const T* from, T* to, const Size& s, const Axis<Taps>& across,
               const Axis<Taps>& down) {
  const int64_t width = s.out_W * s.C;
  std::array<std::vector<Sum>, Taps> kept;
  std::array<int64_t, Taps> which;
  which.fill(-1);
  for (auto& row : kept) row.resize(size_t(width));
  for (int64_t y = 0; y < s.out_H; ++y) {
    std::array<const Sum*, Taps> rows;
    for (size_t t = 0; t < size_t(Taps); ++t) {
      const int64_t source = down.index[size_t(y)][t];
      const size_t slot = size_t(source % Taps);
      if (which[slot] != source) {
        stretch_row<T, Sum, Taps>(from + source * s.W * s.C, across, s.C, kept[slot].data());
        which[slot] = source;
      }
      rows[t] = kept[slot].data();
    }
    T* out = to + y * width;
    if constexpr (std::is_same_v<T, float>) {
      const auto& w = down.weight[size_t(y)];
      for (int64_t i = 0; i < width; ++i) out[i] = rows[0][i] * w[0] + rows[1][i] * w[1];
    } else {
      const auto& w = down.fixed[size_t(y)];
      for (int64_t i = 0; i < width; ++i) out[i] = combine<Taps>(rows, w, i);
    }
  }
}

void nearest(const Tensor& image, const Tensor& out, const Size& s) {
  const size_t pixel = size_t(s.C) * size_of(image.dtype());
  const double across = double(s.W) / double(s.out_W), down = double(s.H) / double(s.out_H);
  auto* to = static_cast<uint8_t*>(out.raw());
  for (int64_t y = 0; y < s.out_H; ++y) {
    const int64_t v = std::min(int64_t(std::floor(double(y) * down)), s.H - 1);
    const auto* row = static_cast<const uint8_t*>(image.raw()) + size_t(v * s.W) * pixel;
    for (int64_t x = 0; x < s.out_W; ++x, to += pixel) {
      const int64_t u = std::min(int64_t(std::floor(double(x) * across)), s.W - 1);
      std::memcpy(to, row + size_t(u) * pixel, pixel);
    }
  }
}

// Where a cell of the output's grid lies in the source: whole samples between fractions.
struct Cover {
  int first;
  std::vector<float> weight;
};

std::vector<Cover> area_axis(int from, int to) {
  std::vector<Cover> covers;
  const double scale = double(from) / to;
  for (int i = 0; i < to; ++i) {
    const double begin = i * scale, end = std::min(begin + scale, double(from));
    const double cell = std::min(scale, from - begin);
    const int whole = std::min(int(std::ceil(begin)), from - 1);
    const int stop = std::max(whole, std::min(int(std::floor(end)), from - 1));
    Cover cover{whole, {}};
    if (whole - begin > 1e-3) {
      cover.first = whole - 1;
      cover.weight.push_back(float((whole - begin) / cell));
    }
    for (int s = whole; s < stop; ++s) cover.weight.push_back(float(1 / cell));
    if (end - stop > 1e-3)
      cover.weight.push_back(float(std::min(std::min(end - stop, 1.0), cell) / cell));
    covers.push_back(std::move(cover));
  }
  return covers;
}

void area_shrink(const uint8_t* from, uint8_t* to, const Size& s) {
  const std::vector<Cover> across = area_axis(int(s.W), int(s.out_W));
  const std::vector<Cover> down = area_axis(int(s.H), int(s.out_H));
  std::vector<float> sum(size_t(s.out_W * s.C));
  for (const Cover& rows : down) {
    std::fill(sum.begin(), sum.end(), 0.0f);
    for (size_t r = 0; r < rows.weight.size(); ++r) {
      const uint8_t* row = from + (rows.first + int64_t(r)) * s.W * s.C;
      float* out = sum.data();
      for (const Cover& columns : across)
        for (int64_t c = 0; c < s.C; ++c, ++out) {
          float value = 0;
          for (size_t k = 0; k < columns.weight.size(); ++k)
            value += float(row[(columns.first + int64_t(k)) * s.C + c]) * columns.weight[k];
          *out += rows.weight[r] * value;
        }
    }
    for (float v : sum) *to++ = uint8_t(std::clamp(std::lrint(v), 0L, 255L));
  }
}

// A whole number of source pixels in each cell: integer sums.
void block_average(const uint8_t* from, uint8_t* to, const Size& s) {
  const int64_t h = s.H / s.out_H, w = s.W / s.out_W;
  const float share = 1.0f / float(h * w);
  for (int64_t y = 0; y < s.out_H; ++y)
    for (int64_t x = 0; x < s.out_W; ++x)
      for (int64_t c = 0; c < s.C; ++c) {
        int sum = 0;
        for (int64_t v = 0; v < h; ++v)
          for (int64_t u = 0; u < w; ++u) sum += from[((y * h + v) * s.W + x * w + u) * s.C + c];
        *to++ =
            h == 2 && w == 2 ? uint8_t((sum + 2) >> 2) : uint8_t(std::lrint(float(sum) * share));
      }
}

}  // namespace

Tensor resize_image(const Tensor& image, const std::array<int, 2>& size, Sampling sampling) {
  check(image.defined() && image.rank() == 3 && image.numel() > 0,
        "resize_image: needs an image (H, W, C)");
  check(size[0] > 0 && size[1] > 0 && int64_t(size[0]) * size[1] < (int64_t(1) << 28),
        "resize_image: cannot make an image of ", size[0], " x ", size[1], " pixels");
  const Size s{image.size(0), image.size(1), image.size(2), size[1], size[0]};
  const bool is_u8 = image.dtype() == DType::u8;
  check(is_u8 || (image.dtype() == DType::f32 &&
                  (sampling == Sampling::nearest || sampling == Sampling::bilinear)),
        "resize_image: f32 images by nearest or bilinear only");
  if (s.H == s.out_H && s.W == s.out_W) return image.clone();
  Tensor out = Tensor::empty({s.out_H, s.out_W, s.C}, image.dtype());
  const int W = int(s.W), H = int(s.H);
  if (sampling == Sampling::nearest) {
    nearest(image, out, s);
  } else if (!is_u8) {
    separable<float, float, 2>(image.data<float>(), out.data<float>(), s,
                               linear_axis(W, size[0], false, true),
                               linear_axis(H, size[1], false, false));
  } else {
    const uint8_t* from = image.data<uint8_t>();
    uint8_t* to = out.data<uint8_t>();
    const bool shrinks = s.out_W <= s.W && s.out_H <= s.H;
    const bool whole = shrinks && s.W % s.out_W == 0 && s.H % s.out_H == 0;
    const bool area = sampling == Sampling::area;
    if (whole &&
        (area || (sampling == Sampling::bilinear && s.W == 2 * s.out_W && s.H == 2 * s.out_H)))
      block_average(from, to, s);
    else if (area && shrinks)
      area_shrink(from, to, s);
    else if (sampling == Sampling::bicubic)
      separable<uint8_t, int, 4>(from, to, s, cubic_axis(W, size[0]), cubic_axis(H, size[1]));
    else
      separable<uint8_t, int, 2>(from, to, s, linear_axis(W, size[0], area, true),
                                 linear_axis(H, size[1], area, false));
  }
  return out;
}

}  // namespace limber
