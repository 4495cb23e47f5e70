// What several losses share: weights spread over trailing dimensions, reductions by name.
#pragma once

#include <utility>

#include "pose/losses/loss.h"

namespace limber {

// weight: (N, K) or more dimensions, extents of 1 appended up to `rank`.
Tensor weight_of_rank(const Tensor& weight, int rank);

// "mean", "sum" or "none". Throws InputError for other names.
enum class Reduction : uint8_t { mean, sum, none };
Reduction read_reduction(const Config& config);
Tensor reduced(const Tensor& losses, Reduction reduction);

// How a similarity s in [0, 1] becomes a loss: 1 - s, 1 - s^2, -log s. "mode" of a config.
enum class SimilarityMode : uint8_t { linear, square, log };
SimilarityMode read_similarity_mode(const Config& config, const char* fallback);
Tensor similarity_loss(SimilarityMode mode, const Tensor& similarity);

// The input's weight where `wanted`; throws naming the loss where it is missing.
Tensor wanted_weight(const LossInput& input, bool wanted, const char* loss);

// The first output and target, both multiplied by the wanted weight.
std::pair<Tensor, Tensor> weighted_pair(const LossInput& input, bool wanted, const char* loss);

}  // namespace limber
