#include "infer/decode.h"

#include <algorithm>
#include <cmath>

#include "pose/codecs/peaks.h"

namespace limber {
namespace {

void decode_maps(const Tensor& output, int64_t n, const Preprocessing& input,
                 const DecoderOptions& decoder, Blur& blur, float* keypoints, float* scores) {
  const int64_t K = output.size(1), H = output.size(2), W = output.size(3);
  const Maps maps{output.data<const float>() + n * K * H * W, K, H, W};
  if (decoder.kind == Decoding::megvii) {
    find_megvii_peaks(maps, blur, keypoints, scores);
  } else {
    find_peaks(maps, keypoints, scores);
    if (decoder.kind == Decoding::heatmap) refine_by_neighbours(keypoints, 1, maps);
    if (decoder.kind == Decoding::dark) refine_dark(keypoints, 1, maps, blur);
    if (decoder.kind == Decoding::udp) refine_dark_udp(keypoints, 1, maps, blur);
  }
  const int64_t last = decoder.kind == Decoding::udp ? 1 : 0;  // UDP counts steps between pixels
  scale_points(keypoints, K, 2, double(input.width) / double(W - last),
               double(input.height) / double(H - last));
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
                   const DecoderOptions& decoder, const CropPlace& place, Blur& blur,
                   float* keypoints, float* scores) {
  switch (decoder.kind) {
    case Decoding::simcc:
      decode_bins(outputs, n, decoder, keypoints, scores);
      break;
    case Decoding::coordinates:
    case Decoding::deviations:
      decode_coordinates(outputs[0], n, input, keypoints, scores);
      break;
    default:
      decode_maps(outputs[0], n, input, decoder, blur, keypoints, scores);
  }
  const float size[2] = {float(input.width), float(input.height)};
  for (int64_t i = 0; i < 2 * outputs[0].size(1); ++i) {
    const size_t d = size_t(i % 2);
    keypoints[i] = keypoints[i] / size[d] * float(place.scale[d]) + float(place.center[d]) -
                   0.5f * float(place.scale[d]);
  }
}

}  // namespace limber
