// A pyramid of feature maps of padded images as one sequence of tokens, for deformable
// transformers: which tokens are image, where each of them is, and the boxes it proposes.
#pragma once

#include "nn/blocks/deformable_attention.h"
#include "pose/heads/head.h"

namespace limber {

// Images stand in the upper left of their frame; N samples, L maps, S tokens in all.
struct TokenMaps {
  MapSizes sizes;
  std::vector<MapSizes> valid;  // [sample][map]: rows and columns that hold image
  int64_t tokens = 0;
  DType dtype = DType::f32;
  Tensor keep;    // (N, S, 1): 1 for image, 0 for padding; undefined where all is image
  Tensor ratios;  // (N, L, 2): the image's part of each map's width and height

  int64_t samples() const { return int64_t(valid.size()); }
};

// Reads each sample's meta.img_shape and meta.more["batch_input_shape"]; images without either, and
// all where there are no samples, fill their frame.
TokenMaps lay_out_maps(const Features& maps, ConstBatch samples);

// The maps (N, h, w, C), one behind the other: (N, S, C).
Tensor join_maps(const Features& maps);

struct SinePositions {
  int64_t features = 128;  // per axis
  double temperature_y = 10000, temperature_x = 10000;
  bool normalise = false;
  double scale = 0;  // of normalised positions; 0: 2 pi
};

// Sines and cosines of row and column, (N, S, 2 features): first the row's, then the column's.
// Positions count from 1 in pixels, or up to `scale` at the image's end.
Tensor sine_positions(const TokenMaps& maps, const SinePositions& o);

// The middle of each token's pixel in units of each map's whole size: (N, S, L, 2), x before y.
Tensor token_points(const TokenMaps& maps);

// A box around each token, 0.05 2^l of the image wide and high in map l, as logits of centre and
// size: (N, S, 4). Padding, and tokens within 1 % of the image's edge, propose nothing: `usable`
// (N, S, 1) is 0 there, and the logits are so large that their sigmoid is 1.
struct Proposals {
  Tensor logits, usable;
};
Proposals propose_boxes(const TokenMaps& maps);

// Sines and cosines of boxes (N, Q, 4) in units of the image: (N, Q, 4 features), in the order y,
// x, w, h.
Tensor sine_of_boxes(const Tensor& boxes, int64_t features);

}  // namespace limber
