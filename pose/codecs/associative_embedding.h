// Associative embedding: heat maps of all people, and tags whose nearness says who is who.
#pragma once

#include "pose/codecs/instance_ops.h"

namespace limber {

// Newell, Huang and Deng 2017, arXiv 1611.05424; HigherHRNet, Cheng et al. 2020, arXiv 1908.10357.
class AssociativeEmbedding : public Codec {
 public:
  explicit AssociativeEmbedding(const Config& config);
  // heatmaps (K, H, W); keypoint_indices (N, K, 2) i64: y * W + x of the key point's pixel, and
  // whether it is visible and on the map; keypoint_weights (N, K).
  TensorLists encode(const EncodeInput& input) const override;
  // {heatmaps (K, h, w), tags (L K, h, w) with key points varying fastest}, of any size -> key
  // points (M, K, 2) in units of heatmap_size's pixels times the input's scale, scores (M, K),
  // instance_scores (M,). Key points that no group has are looked for where the tag fits best.
  Decoded decode(std::span<const Tensor> encoded) const override;
  std::map<std::string, std::string> label_mapping() const override;
  std::map<std::string, std::string> field_mapping() const override;

 private:
  struct Maps;
  class Blocks;
  struct Group;
  std::vector<Group> group(const Maps& maps) const;
  void join(std::vector<Group>& groups, const std::vector<LocalMaximum>& candidates, int64_t k,
            const Maps& maps) const;
  void fill_missing(const Tensor& keypoints, const Tensor& scores, const Maps& maps) const;

  Size heatmap_size_;
  double scale_x_, scale_y_;  // input pixels per map pixel
  double sigma_;
  bool use_udp_;
  std::vector<int64_t> order_;  // in which key points are grouped; empty: as they come
  int nms_kernel_, blur_kernel_, top_k_, max_instances_;
  double threshold_, tag_threshold_, center_shift_;
};

}  // namespace limber
