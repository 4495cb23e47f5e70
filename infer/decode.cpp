#include "infer/decode.h"

#include <algorithm>
#include <cmath>

#include "pose/codecs/blur.h"
#include "pose/codecs/peaks.h"

namespace limber {
namespace {

// The maximum of each of the K maps; (-1, -1) where it is not positive.
void peaks(const float* maps, int64_t K, int64_t H, int64_t W, float* keypoints, float* scores) {
  for (int64_t k = 0; k < K; ++k) {
    const float* map = maps + k * H * W;
    const int64_t at = position_of_largest(map, H * W);
    scores[k] = map[at];
    keypoints[2 * k] = map[at] > 0 ? float(at % W) : -1;
    keypoints[2 * k + 1] = map[at] > 0 ? float(at / W) : -1;
  }
}

void scale_by(float* keypoints, int64_t K, double sx, double sy) {
  for (int64_t k = 0; k < K; ++k) {
    keypoints[2 * k] *= float(sx);
    keypoints[2 * k + 1] *= float(sy);
  }
}

float sign(float v) { return v > 0 ? 1.0f : v < 0 ? -1.0f : 0.0f; }

void decode_maps(const Tensor& output, int64_t n, const Preprocessing& input,
                 const DecoderOptions& d, float* keypoints, float* scores) {
  const int64_t K = output.size(1), H = output.size(2), W = output.size(3);
  const Tensor sample = output.alias({K, H, W}, n * K * H * W);
  const float* maps = sample.data<float>();
  double sx = double(input.width) / double(W), sy = double(input.height) / double(H);
  Tensor blurred;
  if (d.kind == Decoding::megvii) {
    blurred = blur_keeping_peak(sample, d.blur_kernel);
    maps = blurred.data<float>();
  }
  peaks(maps, K, H, W, keypoints, scores);
  if (d.kind == Decoding::heatmap || d.kind == Decoding::megvii) {
    for (int64_t k = 0; k < K; ++k) {
      float* p = keypoints + 2 * k;
      const int64_t x = int64_t(p[0]), y = int64_t(p[1]);
      const float* at = maps + k * H * W + y * W + x;
      const bool megvii = d.kind == Decoding::megvii;
      const bool inner = x > 1 && x < W - 1 && y > 1 && y < H - 1;
      const bool along_x = megvii ? inner : x > 1 && x < W - 1 && y > 0 && y < H;
      const bool along_y = megvii ? inner : y > 1 && y < H - 1 && x > 0 && x < W;
      const float half = megvii ? 0.5f : 0;
      if (along_x) p[0] += half + 0.25f * sign(at[1] - at[-1]);
      if (along_y) p[1] += half + 0.25f * sign(at[W] - at[-W]);
      if (megvii) scores[k] = scores[k] / 255 + 0.5f;
    }
  } else {
    const bool udp = d.kind == Decoding::udp;
    const Tensor points = Tensor::from(std::span<const float>(keypoints, size_t(2 * K)), {1, K, 2});
    udp ? refine_dark_udp(points, sample, d.blur_kernel)
        : refine_dark(points, sample, d.blur_kernel);
    std::copy_n(points.data<float>(), 2 * K, keypoints);
    if (udp) {
      sx = double(input.width) / double(W - 1);
      sy = double(input.height) / double(H - 1);
    }
  }
  scale_by(keypoints, K, sx, sy);
}

void decode_bins(std::span<const Tensor> outputs, int64_t n, const DecoderOptions& d,
                 float* keypoints, float* scores) {
  const int64_t K = outputs[0].size(1), Bx = outputs[0].size(2), By = outputs[1].size(2);
  for (int64_t k = 0; k < K; ++k) {
    const float* x = outputs[0].data<const float>() + (n * K + k) * Bx;
    const float* y = outputs[1].data<const float>() + (n * K + k) * By;
    const int64_t at_x = position_of_largest(x, Bx), at_y = position_of_largest(y, By);
    scores[k] = std::min(x[at_x], y[at_y]);
    const bool found = scores[k] > 0;
    keypoints[2 * k] = (found ? float(at_x) : -1.0f) * float(1 / d.split_ratio);
    keypoints[2 * k + 1] = (found ? float(at_y) : -1.0f) * float(1 / d.split_ratio);
  }
}

void decode_coordinates(const Tensor& output, int64_t n, const Preprocessing& input,
                        float* keypoints, float* scores) {
  const int64_t K = output.size(1), fields = output.size(2);
  for (int64_t k = 0; k < K; ++k) {
    const float* v = output.data<const float>() + (n * K + k) * fields;
    keypoints[2 * k] = v[0] * float(input.width);
    keypoints[2 * k + 1] = v[1] * float(input.height);
    const auto deviation = [&](float logit) { return 1 / (1 + std::exp(-logit)); };
    scores[k] = fields == 4 ? 1 - 0.5f * (deviation(v[2]) + deviation(v[3])) : 1;
  }
}

}  // namespace

void decode_sample(std::span<const Tensor> outputs, int64_t n, const Preprocessing& input,
                   const DecoderOptions& decoder, const CropPlace& place, float* keypoints,
                   float* scores) {
  switch (decoder.kind) {
    case Decoding::simcc:
      decode_bins(outputs, n, decoder, keypoints, scores);
      break;
    case Decoding::coordinates:
    case Decoding::deviations:
      decode_coordinates(outputs[0], n, input, keypoints, scores);
      break;
    default:
      decode_maps(outputs[0], n, input, decoder, keypoints, scores);
  }
  const float size[2] = {float(input.width), float(input.height)};
  for (int64_t i = 0; i < 2 * outputs[0].size(1); ++i) {
    const size_t d = size_t(i % 2);
    keypoints[i] = keypoints[i] / size[d] * float(place.scale[d]) + float(place.center[d]) -
                   0.5f * float(place.scale[d]);
  }
}

}  // namespace limber
