// Attention that reads a few points of a pyramid of feature maps; Zhu et al. 2021 (Deformable
// DETR), arXiv 2010.04159. The maps lie one behind the other as one sequence of S tokens.
#pragma once

#include <array>
#include <vector>

#include "nn/layers.h"

namespace limber {

using MapSizes = std::vector<std::array<int64_t, 2>>;  // height, width of each map

struct DeformableAttentionOptions {
  int64_t channels = 256;
  int heads = 8, levels = 4, points = 4;
  double drop = 0.1;  // of the result
};

// Parameters: sampling_offsets, attention_weights, value_proj, output_proj.
class DeformableAttention {
 public:
  DeformableAttention() = default;
  DeformableAttention(const Scope& s, const DeformableAttentionOptions& o);
  // query: (N, Q, C); value: (N, S, C); keep: undefined or (N, S, 1), 0 where a token is padding;
  // references: points (N, Q, L, 2), from which offsets count in pixels, or boxes (N, Q, L, 4) as
  // centre and size, from which they count in half sizes; (1, 1) is a map's lower right corner
  // -> (N, Q, C)
  Tensor operator()(const Tensor& query, const Tensor& value, const Tensor& keep,
                    const Tensor& references, const MapSizes& maps) const;

 private:
  Tensor locations(const Tensor& query, const Tensor& references, const MapSizes& maps) const;

  DeformableAttentionOptions options_;
  Linear offsets_, weights_, value_, out_;
  Dropout drop_;
};

}  // namespace limber
