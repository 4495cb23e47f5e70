// Attention within windows of a map, with a learned bias per relative position; Liu et al. 2021
// (Swin Transformer), arXiv 2103.14030. Maps are (N, H, W, C), padded with zeros to whole windows.
#pragma once

#include "nn/blocks/transformer.h"

namespace limber {

enum class WindowPadding : uint8_t {
  corner,
  centre
};  // all at bottom and right; or half each side

// How a map of one size is cut into windows, each a sequence of tokens, and put together again.
// Made once per forward pass and stage, whatever the number of blocks.
class Windows {
 public:
  // The map is rolled up and left by `shift` before it is cut, so that windows of a shifted block
  // straddle those of the block before.
  Windows(int64_t height, int64_t width, std::array<int, 2> window, int shift,
          WindowPadding padding);
  int64_t count() const { return rows_ * cols_; }  // of one image
  // (N, H, W, C) -> (N, count, window area, C)
  Tensor cut(const Tensor& map) const;
  // The inverse, without what was padded.
  Tensor join(const Tensor& windows) const;
  // (count, 1, L, L): -100 between tokens that only the roll has brought together, else 0.
  // Undefined without shift.
  Tensor mask(DType dtype) const;

 private:
  std::vector<int64_t> sources() const;  // where the tokens of all windows lie in the padded map
  int64_t height_, width_, rows_, cols_, padded_height_, padded_width_, top_, left_;
  std::array<int, 2> window_;
  int shift_;
  Tensor from_, back_;  // i64: sources(), and where the map's pixels lie among the windows
};

struct WindowAttentionOptions {
  int64_t channels = 0;
  int heads = 1;
  std::array<int, 2> window{7, 7};
  bool qkv_bias = true;
  bool relative_bias = true;
  double scale = 0;      // as in SelfAttentionOptions
  double attn_drop = 0;  // of the attention's weights
  double drop = 0;       // of the result
};

// Parameters: relative_position_bias_table ((2h - 1)(2w - 1), heads), the constant
// relative_position_index, qkv, proj.
class WindowAttention {
 public:
  WindowAttention() = default;
  WindowAttention(const Scope& s, const WindowAttentionOptions& o);
  // windows: (N, count, L, C), mask: undefined or (count, 1, L, L) -> as windows
  Tensor operator()(const Tensor& windows, const Tensor& mask = {}) const;

 private:
  Tensor bias(const Tensor& mask) const;
  WindowAttentionOptions options_;
  Tensor table_, index_;
  Linear qkv_, proj_;
  Dropout attn_drop_, drop_;
};

}  // namespace limber
