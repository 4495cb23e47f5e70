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

// The input's weight where `wanted`; throws naming the loss where it is missing.
Tensor wanted_weight(const LossInput& input, bool wanted, const char* loss);

// The first output and target, both multiplied by the wanted weight.
std::pair<Tensor, Tensor> weighted_pair(const LossInput& input, bool wanted, const char* loss);

}  // namespace limber
