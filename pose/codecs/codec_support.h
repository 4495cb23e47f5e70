// What the codecs share: sizes read from a config, checks of what encode() and decode() are given.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "kernels/targets.h"
#include "pose/codecs/codec.h"

namespace limber {

struct Size {
  int64_t width = 0, height = 0;
};

// "key": [width, height], both positive.
Size read_size(const Config& config, std::string_view key);

// Throws naming the config's path and the known names where `value` is none of them.
void check_choice(const Config& config, std::string_view key, const std::string& value,
                  std::initializer_list<const char*> known);

// "blur_kernel_size", 11 when absent: odd and positive.
int read_blur_kernel(const Config& config);

// Checked f32 inputs of an encode(): key points (N, K, dims) and visibility (N, K), all 1 where the
// sample has none.
struct EncodePoints {
  Tensor keypoints, visible;
  int64_t instances, count;

  const float* at(int64_t n, int64_t k) const {
    return keypoints.data<float>() + (n * count + k) * keypoints.size(2);
  }
  float visibility(int64_t n, int64_t k) const { return visible.data<float>()[n * count + k]; }
};
EncodePoints read_points(const EncodeInput& input, const char* codec, int dims = 2);
// The same, for codecs that can describe one person only.
EncodePoints read_one_person(const EncodeInput& input, const char* codec, int dims = 2);

// The tensor `more` holds under this name, as f32. Throws naming the codec where it is missing.
Tensor auxiliary(const EncodeInput& input, const char* codec, std::string_view name);
bool has_auxiliary(const EncodeInput& input, std::string_view name);

// What the kernels that draw a sample's targets run on: the calling thread, as samples are made on
// many threads already.
kernels::Exec one_thread();

// Throws unless there are between `least` and `most` tensors; `what` names them.
void check_count(std::span<const Tensor> encoded, size_t least, size_t most, const char* codec,
                 const char* what);
// encoded as maps (K, H, W) of this size, f32; a leading extent of 1 is dropped.
Tensor read_maps(const Tensor& encoded, Size size, const char* codec);

// The same of any size.
Tensor read_maps(const Tensor& encoded, const char* codec);

// locations (K, 2), values (K) as the key points of one instance, (1, K, 2) and (1, K), sharing
// storage.
Decoded one_person(const Tensor& locations, const Tensor& values);

}  // namespace limber
