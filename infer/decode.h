// From a network's outputs to key points in the picture.
#pragma once

#include <span>

#include "infer/crop.h"
#include "pose/codecs/blur.h"

namespace limber {

// outputs: those of a plan, of which sample n is decoded; blur: of the decoder's size, the memory
// to work in. keypoints: (K, 2) pixels of the picture, scores: (K,).
void decode_sample(std::span<const Tensor> outputs, int64_t n, const Preprocessing& input,
                   const DecoderOptions& decoder, const CropPlace& place, Blur& blur,
                   float* keypoints, float* scores);

}  // namespace limber
