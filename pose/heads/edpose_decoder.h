// The decoder of ED-Pose: some layers find people among the queries, then every person found
// becomes a group of queries, one for the box and one per key point, which the other layers refine.
// Yang et al. 2023, arXiv 2302.01593.
#pragma once

#include "pose/heads/edpose_encoder.h"

namespace limber {

struct EDPoseDecoderOptions {
  EDPoseLayerOptions layer;
  int layers = 6, box_layers = 2;
  int groups = 100;     // people that become groups
  int keypoints = 17;   // K
  int denoising = 100;  // queries in front of the others while training
  int num_classes = 2;
  int predictors = 6;  // how many layers have predictors; at least `layers`
  bool share_class = false, share_box = false, share_pose = false;
  bool class_bias = true;
};

// What leaves the layers, undetached. Queries are (N, Q, .): `denoising` ones, then one per
// proposal in the box layers and behind them G groups of box, point 1, ..., point K.
struct EDPoseStates {
  std::vector<Tensor> hidden;      // per layer, (N, Q, C), normed
  std::vector<Tensor> references;  // what each layer started from, (N, Q, 4), and the last result
  int64_t denoising = 0;           // queries in front
};

// What one layer says. Boxes as centre and size, points as x, y, in units of the image; Q counts
// denoising queries too; points are undefined for the box layers.
struct EDPosePredictions {
  Tensor logits;  // (N, Q, classes)
  Tensor boxes;   // (N, Q, 4)
  Tensor points;  // (N, G, K, 2)
};

// Attention masks, added to the scores: undefined or (1 or N, 1, Q, Q); see edpose_denoising.h.
struct EDPoseMasks {
  Tensor boxes, groups;
};

// Parameters: layers.I.{self_attn.attn, cross_attn, ffn, norms.0-2}, norm, ref_point_head, hw,
// keypoint_embed, and the predictors bbox_embed.I, class_embed.I, pose_embed.I, pose_hw_embed.I,
// which are tied to the same names below `out_head`.
class EDPoseDecoder {
 public:
  EDPoseDecoder() = default;
  EDPoseDecoder(const Scope& s, const Scope& out_head, const EDPoseDecoderOptions& o);

  // queries: (N, Q, C), references: (N, Q, 4), memory: (N, S, C)
  EDPoseStates operator()(Tensor queries, Tensor references, const Tensor& memory,
                          const TokenMaps& maps, const EDPoseMasks& masks, int64_t denoising) const;
  // What layer i of these states predicts.
  EDPosePredictions predict(const EDPoseStates& states, size_t layer) const;
  size_t layers() const { return layers_.size(); }

 private:
  struct Layer {
    MultiheadAttention self;
    DeformableAttention cross;
    FeedForward ffn;
    LayerNorm norms[3];
  };
  struct Queries {
    Tensor content, references;
  };
  void make_predictors(const Scope& s, const Scope& out_head);
  Tensor run_layer(const Layer& layer, Tensor queries, const Tensor& references,
                   const Tensor& memory, const TokenMaps& maps, const Tensor& mask) const;
  // The best groups' queries, each followed by those of its key points.
  Queries expand(const Tensor& queries, const Tensor& references, size_t layer) const;
  // The references that layer i moves its queries to.
  Tensor refine(const Tensor& queries, const Tensor& references, size_t layer,
                int64_t denoising) const;
  Tensor move_boxes(const Tensor& queries, const Tensor& references, size_t layer) const;
  bool is_box_layer(size_t layer) const { return layer < size_t(options_.box_layers); }

  EDPoseDecoderOptions options_;
  std::vector<Layer> layers_;
  LayerNorm norm_;
  Mlp position_;
  Tensor point_size_, point_content_;  // (K, 2), (K, C)
  std::vector<Mlp> box_, pose_, pose_size_;
  std::vector<Linear> class_;
};

// log(x / (1 - x)), both kept above 1e-3.
Tensor inverse_sigmoid(const Tensor& x);

// x: (N, Q, C), rows: (N, R) i64 -> (N, R, C): row rows[n, r] of sample n.
Tensor select_rows(const Tensor& x, const Tensor& rows);

}  // namespace limber
