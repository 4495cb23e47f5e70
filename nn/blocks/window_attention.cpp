#include "nn/blocks/window_attention.h"

#include <cmath>

namespace limber {
namespace {

// Row of the bias table for every pair of tokens: by how much rows and columns differ, shifted to
// be positive, rows counting 2 w - 1.
Tensor relative_positions(int64_t h, int64_t w) {
  const int64_t L = h * w;
  std::vector<int64_t> index;
  index.reserve(size_t(L * L));
  for (int64_t a = 0; a < L; ++a)
    for (int64_t b = 0; b < L; ++b)
      index.push_back((a / w - b / w + h - 1) * (2 * w - 1) + a % w - b % w + w - 1);
  return Tensor::from(index, {L, L});
}

// Of the three bands that a shifted cut makes of an axis: before the last window, in the last
// window, and the part of it that the roll has brought from the other end.
int band(int64_t at, int64_t extent, int64_t window, int64_t shift) {
  return at < extent - window ? 0 : at < extent - shift ? 1 : 2;
}

}  // namespace

Windows::Windows(int64_t height, int64_t width, std::array<int, 2> window, int shift,
                 WindowPadding padding)
    : height_(height),
      width_(width),
      rows_((height + window[0] - 1) / window[0]),
      cols_((width + window[1] - 1) / window[1]),
      padded_height_(rows_ * window[0]),
      padded_width_(cols_ * window[1]),
      top_(padding == WindowPadding::centre ? (padded_height_ - height) / 2 : 0),
      left_(padding == WindowPadding::centre ? (padded_width_ - width) / 2 : 0),
      window_(window),
      shift_(shift) {
  const std::vector<int64_t> from = sources();
  std::vector<int64_t> back(size_t(height * width));
  for (size_t i = 0; i < from.size(); ++i) {
    const int64_t y = from[i] / padded_width_ - top_, x = from[i] % padded_width_ - left_;
    if (y >= 0 && y < height && x >= 0 && x < width) back[size_t(y * width + x)] = int64_t(i);
  }
  from_ = Tensor::from(from, {int64_t(from.size())});
  back_ = Tensor::from(back, {int64_t(back.size())});
}

std::vector<int64_t> Windows::sources() const {
  std::vector<int64_t> from;
  from.reserve(size_t(padded_height_ * padded_width_));
  for (int64_t row = 0; row < rows_; ++row)
    for (int64_t col = 0; col < cols_; ++col)
      for (int64_t i = 0; i < window_[0]; ++i)
        for (int64_t j = 0; j < window_[1]; ++j) {
          const int64_t y = (row * window_[0] + i + shift_) % padded_height_;
          const int64_t x = (col * window_[1] + j + shift_) % padded_width_;
          from.push_back(y * padded_width_ + x);
        }
  return from;
}

Tensor Windows::cut(const Tensor& map) const {
  const int64_t N = map.size(0), C = map.size(3);
  Tensor x = map;
  if (padded_height_ != height_ || padded_width_ != width_)
    x = pad_image(x, top_, padded_height_ - height_ - top_, left_, padded_width_ - width_ - left_);
  const Tensor tokens = index_select(reshape(x, {N, padded_height_ * padded_width_, C}), 1, from_);
  return reshape(tokens, {N, count(), int64_t(window_[0]) * window_[1], C});
}

Tensor Windows::join(const Tensor& windows) const {
  const int64_t N = windows.size(0), C = windows.size(3);
  const Tensor tokens = reshape(windows, {N, padded_height_ * padded_width_, C});
  return reshape(index_select(tokens, 1, back_), {N, height_, width_, C});
}

Tensor Windows::mask(DType dtype) const {
  if (shift_ == 0) return {};
  const int64_t L = int64_t(window_[0]) * window_[1];
  std::vector<float> mask;
  mask.reserve(size_t(count() * L * L));
  std::vector<int> region;
  for (int64_t n = 0; n < count(); ++n) {
    region.clear();
    for (int64_t i = 0; i < L; ++i) {
      const int64_t y = n / cols_ * window_[0] + i / window_[1];
      const int64_t x = n % cols_ * window_[1] + i % window_[1];
      region.push_back(3 * band(y, padded_height_, window_[0], shift_) +
                       band(x, padded_width_, window_[1], shift_));
    }
    for (int a : region)
      for (int b : region) mask.push_back(a == b ? 0.f : -100.f);
  }
  return Tensor::from(mask, {count(), 1, L, L}).to(dtype);
}

WindowAttention::WindowAttention(const Scope& s, const WindowAttentionOptions& o) : options_(o) {
  check_input(o.heads > 0 && o.channels % o.heads == 0, s.path(), ": ", o.channels,
              " channels do not divide into ", o.heads, " heads");
  const int64_t h = o.window[0], w = o.window[1];
  if (o.relative_bias) {
    table_ = s.parameter("relative_position_bias_table", {(2 * h - 1) * (2 * w - 1), o.heads},
                         init::truncated_normal(0, 0.02));
    index_ = relative_positions(h, w);
    s.constant("relative_position_index", index_);
  }
  qkv_ = Linear(s / "qkv", o.channels, 3 * o.channels, o.qkv_bias);
  proj_ = Linear(s / "proj", o.channels, o.channels);
  attn_drop_ = Dropout(s / "attn_drop", o.attn_drop);
  drop_ = Dropout(s / "proj_drop", o.drop);
  if (options_.scale == 0) options_.scale = 1 / std::sqrt(double(o.channels / o.heads));
}

// What is added to the scores: (heads, L, L), or (count heads, L, L) where windows differ;
// undefined where nothing is.
Tensor WindowAttention::bias(const Tensor& mask) const {
  const int64_t L = int64_t(options_.window[0]) * options_.window[1], H = options_.heads;
  Tensor total;
  if (table_.defined())
    total = reshape(index_select(transpose(table_, 0, 1), 1, index_.alias({L * L})), {H, L, L});
  if (!mask.defined()) return total;
  const int64_t count = mask.size(0);
  total = total.defined() ? total + mask : expand(mask, {count, H, L, L});
  return reshape(total, {count * H, L, L});
}

Tensor WindowAttention::operator()(const Tensor& windows, const Tensor& mask) const {
  const int64_t N = windows.size(0), count = windows.size(1), L = windows.size(2);
  const int64_t H = options_.heads, C = options_.channels, D = C / H;
  const Tensor qkv = permute(reshape(qkv_(windows), {N * count, L, 3, H, D}), {2, 0, 3, 1, 4});
  // With a mask the windows of an image count as heads, so that their biases serve every image.
  const Shape shape = mask.defined() ? Shape{N, count * H, L, D} : Shape{N * count, H, L, D};
  const auto part = [&](int64_t i) { return reshape(slice(qkv, 0, i, i + 1), shape); };
  const Tensor y = attention(part(0), part(1), part(2), bias(mask), options_.scale, attn_drop_);
  const Tensor tokens = permute(reshape(y, {N * count, H, L, D}), {0, 2, 1, 3});
  return drop_(proj_(reshape(tokens, {N, count, L, C})));
}

}  // namespace limber
