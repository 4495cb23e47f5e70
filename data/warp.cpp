// Affine and perspective warps. OpenCV's scheme: the inverse map in fixed point (10 bits), kept to
// 5 bits for the bilinear weights, which are then exact multiples of 1/1024 in u8 and f32 alike.
// The recorded numbers are in the transforms' warpAffine and TopdownAffine files.
#include "data/warp.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace limber {
namespace {

constexpr int kWeightBits = 5, kWeights = 1 << kWeightBits;

// The source position of each pixel of a row: whole part and 1/32 parts.
struct RowMap {
  std::vector<int32_t> x, y;  // in 1/32 pixel
};

template <class T>
struct Sampler {
  const T* data;
  int64_t H, W, C;
  T border[4];

  const T* pixel(int64_t x, int64_t y) const {
    return x >= 0 && x < W && y >= 0 && y < H ? data + (y * W + x) * C : border;
  }

  static T blend(T a, T b, T c, T d, int u, int v) {
    if constexpr (std::is_same_v<T, uint8_t>) {
      const int upper = (kWeights - u) * a + u * b, lower = (kWeights - u) * c + u * d;
      return T(((kWeights - v) * upper + v * lower + 512) >> 10);
    } else {
      const float scale = 1.0f / 1024;
      return a * (float((kWeights - u) * (kWeights - v)) * scale) +
             b * (float(u * (kWeights - v)) * scale) + c * (float((kWeights - u) * v) * scale) +
             d * (float(u * v) * scale);
    }
  }

  template <int Channels>
  void bilinear_row(const RowMap& map, int width, T* out) const {
    const int64_t channels = Channels > 0 ? Channels : C;
    for (int i = 0; i < width; ++i, out += channels) {
      const int64_t x = map.x[size_t(i)] >> kWeightBits, y = map.y[size_t(i)] >> kWeightBits;
      const int u = map.x[size_t(i)] & (kWeights - 1), v = map.y[size_t(i)] & (kWeights - 1);
      if (x >= 0 && y >= 0 && x + 1 < W && y + 1 < H) [[likely]] {
        const T* p = data + (y * W + x) * channels;
        const T* q = p + W * channels;
        for (int64_t c = 0; c < channels; ++c)
          out[c] = blend(p[c], p[c + channels], q[c], q[c + channels], u, v);
      } else if (x < -1 || y < -1 || x >= W || y >= H) {
        for (int64_t c = 0; c < channels; ++c) out[c] = border[c];
      } else {
        const T *p = pixel(x, y), *q = pixel(x + 1, y), *r = pixel(x, y + 1),
                *s = pixel(x + 1, y + 1);
        for (int64_t c = 0; c < channels; ++c) out[c] = blend(p[c], q[c], r[c], s[c], u, v);
      }
    }
  }

  void row(const RowMap& map, int width, T* out) const {
    if (C == 3)
      bilinear_row<3>(map, width, out);
    else if (C == 1)
      bilinear_row<1>(map, width, out);
    else
      bilinear_row<0>(map, width, out);
  }
};

template <class T>
Sampler<T> sampler(const Tensor& image, const Border& border) {
  Sampler<T> s{image.data<T>(), image.size(0), image.size(1), image.size(2), {}};
  for (size_t c = 0; c < 4; ++c) s.border[c] = T(border[c]);
  return s;
}

int32_t rounded(double v) { return int32_t(std::lrint(std::clamp(v, -1e9, 1e9))); }

void check_warp(const Tensor& image, const std::array<int, 2>& size, const char* op) {
  check(image.defined() && image.rank() == 3 &&
            (image.dtype() == DType::u8 || image.dtype() == DType::f32),
        op, ": needs a u8 or f32 image (H, W, C)");
  check(image.numel() > 0 && image.size(2) <= 4, op, ": cannot warp an image of shape ",
        image.shape());
  check(size[0] > 0 && size[1] > 0 && int64_t(size[0]) * size[1] < (int64_t(1) << 28), op,
        ": cannot make an image of ", size[0], " x ", size[1], " pixels");
}

// Calls fill(y, map) and writes the row that it describes, for every row.
template <class Fill>
Tensor bilinear_warp(const Tensor& image, const std::array<int, 2>& size, const Border& border,
                     const Fill& fill) {
  Tensor out = Tensor::empty({size[1], size[0], image.size(2)}, image.dtype());
  RowMap map;
  map.x.resize(size_t(size[0]));
  map.y.resize(size_t(size[0]));
  const auto run = [&](auto zero) {
    using T = decltype(zero);
    const Sampler<T> source = sampler<T>(image, border);
    for (int y = 0; y < size[1]; ++y) {
      fill(y, map);
      source.row(map, size[0], out.data<T>() + int64_t(y) * size[0] * image.size(2));
    }
  };
  image.dtype() == DType::u8 ? run(uint8_t{}) : run(float{});
  return out;
}

template <class T>
void nearest_warp(const Tensor& image, const Matrix23& m, const Border& border, const Tensor& out) {
  const Sampler<T> source = sampler<T>(image, border);
  T* to = out.data<T>();
  for (int64_t y = 0; y < out.size(0); ++y) {
    const int64_t row_x = rounded((m[1] * double(y) + m[2]) * 1024) + 512;
    const int64_t row_y = rounded((m[4] * double(y) + m[5]) * 1024) + 512;
    for (int64_t x = 0; x < out.size(1); ++x, to += source.C) {
      const T* p = source.pixel((row_x + rounded(m[0] * double(x) * 1024)) >> 10,
                                (row_y + rounded(m[3] * double(x) * 1024)) >> 10);
      std::copy_n(p, source.C, to);
    }
  }
}

}  // namespace

Tensor warp_affine(const Tensor& image, const Matrix23& matrix, const std::array<int, 2>& size,
                   const Border& border, Sampling sampling) {
  check_warp(image, size, "warp_affine");
  const Matrix23 m = inverse(matrix);
  if (sampling == Sampling::nearest) {
    Tensor out = Tensor::empty({size[1], size[0], image.size(2)}, image.dtype());
    image.dtype() == DType::u8 ? nearest_warp<uint8_t>(image, m, border, out)
                               : nearest_warp<float>(image, m, border, out);
    return out;
  }
  check(sampling == Sampling::bilinear, "warp_affine: nearest and bilinear only");
  std::vector<int32_t> step_x(static_cast<size_t>(size[0])), step_y(step_x.size());
  for (size_t x = 0; x < step_x.size(); ++x) {
    step_x[x] = rounded(m[0] * double(x) * 1024);
    step_y[x] = rounded(m[3] * double(x) * 1024);
  }
  return bilinear_warp(image, size, border, [&](int y, RowMap& map) {
    const int32_t row_x = rounded((m[1] * y + m[2]) * 1024) + 16;
    const int32_t row_y = rounded((m[4] * y + m[5]) * 1024) + 16;
    for (size_t x = 0; x < step_x.size(); ++x) {
      map.x[x] = (row_x + step_x[x]) >> 5;
      map.y[x] = (row_y + step_y[x]) >> 5;
    }
  });
}

Tensor warp_perspective(const Tensor& image, const Matrix33& matrix, const std::array<int, 2>& size,
                        const Border& border) {
  check_warp(image, size, "warp_perspective");
  const Matrix33 m = inverse(matrix);
  return bilinear_warp(image, size, border, [&](int y, RowMap& map) {
    for (int x = 0; x < size[0]; ++x) {
      const double w = m[6] * x + m[7] * y + m[8];
      const double scale = w != 0 ? kWeights / w : 0;
      map.x[size_t(x)] = rounded((m[0] * x + m[1] * y + m[2]) * scale);
      map.y[size_t(x)] = rounded((m[3] * x + m[4] * y + m[5]) * scale);
    }
  });
}

Tensor flip_image(const Tensor& image, FlipDirection direction) {
  const int64_t H = image.size(0), W = image.size(1);
  const int64_t pixel = image.rank() == 3 ? image.size(2) * int64_t(size_of(image.dtype()))
                                          : int64_t(size_of(image.dtype()));
  Tensor out = Tensor::empty(image.shape(), image.dtype());
  const auto* from = static_cast<const uint8_t*>(image.raw());
  auto* to = static_cast<uint8_t*>(out.raw());
  for (int64_t y = 0; y < H; ++y) {
    const int64_t source_y = direction == FlipDirection::horizontal ? y : H - 1 - y;
    const uint8_t* row = from + source_y * W * pixel;
    if (direction == FlipDirection::vertical) {
      std::memcpy(to, row, size_t(W * pixel));
      to += W * pixel;
      continue;
    }
    for (int64_t x = W - 1; x >= 0; --x)
      for (int64_t b = 0; b < pixel; ++b) *to++ = row[x * pixel + b];
  }
  return out;
}

Tensor crop_image(const Tensor& image, int x, int y, const std::array<int, 2>& size) {
  check(x >= 0 && y >= 0 && x + size[0] <= image.size(1) && y + size[1] <= image.size(0),
        "crop_image: ", size[0], " x ", size[1], " at (", x, ", ", y,
        ") leaves the image of shape ", image.shape());
  Tensor out = Tensor::empty({size[1], size[0], image.size(2)}, image.dtype());
  const size_t pixel = size_t(image.size(2)) * size_of(image.dtype());
  for (int row = 0; row < size[1]; ++row)
    std::memcpy(static_cast<uint8_t*>(out.raw()) + size_t(row) * size_t(size[0]) * pixel,
                static_cast<const uint8_t*>(image.raw()) +
                    (size_t(y + row) * size_t(image.size(1)) + size_t(x)) * pixel,
                size_t(size[0]) * pixel);
  return out;
}

Tensor blank_image(const std::array<int, 2>& size, int channels, const Border& colour) {
  Tensor out = Tensor::empty({size[1], size[0], channels}, DType::u8);
  uint8_t* p = out.data<uint8_t>();
  for (int64_t i = 0; i < out.numel(); ++i) p[i] = uint8_t(colour[size_t(i % channels)]);
  return out;
}

void paste_image(const Tensor& from, const Tensor& to, int x, int y) {
  check(from.dtype() == to.dtype() && from.size(2) == to.size(2), "paste_image: shapes ",
        from.shape(), " and ", to.shape(), " do not fit");
  const int64_t left = std::max(x, 0), right = std::min(x + from.size(1), to.size(1));
  const size_t pixel = size_t(from.size(2)) * size_of(from.dtype());
  if (left >= right) return;
  for (int64_t row = std::max(y, 0); row < std::min(y + from.size(0), to.size(0)); ++row)
    std::memcpy(static_cast<uint8_t*>(to.raw()) + size_t(row * to.size(1) + left) * pixel,
                static_cast<const uint8_t*>(from.raw()) +
                    size_t((row - y) * from.size(1) + left - x) * pixel,
                size_t(right - left) * pixel);
}

}  // namespace limber
