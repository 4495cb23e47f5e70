// What is known of one image, or of one person's crop of it, on its way to and from a model.
//
// Tensors here live on the host and hold f32 unless a line says otherwise. N counts instances
// (people, hands, animals), K key points. Boxes are x1, y1, x2, y2 with x2 = x1 + width; an
// integer coordinate is a pixel's centre.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace limber {

// Named arrays; most names hold one tensor, multi-level targets one per level.
using TensorLists = std::map<std::string, std::vector<Tensor>, std::less<>>;

struct Instances {
  Tensor bboxes;             // (N, 4), image space
  Tensor bbox_scores;        // (N,)
  Tensor keypoints;          // (N, K, 2 or 3)
  Tensor keypoint_scores;    // (N, K)
  Tensor keypoints_visible;  // (N, K), 0 or 1, or a predicted probability
  Tensor areas;              // (N,)
  TensorLists more;          // head_size, keypoints_3d, labels, ... under their usual names
};

// One annotation as its file has it, for metrics.
struct RawAnnotation {
  int64_t id = -1, image_id = -1, category_id = 1;
  bool iscrowd = false;
  int num_keypoints = 0;
  double area = 0;                // 0 where the file has none
  std::array<double, 4> bbox{};   // x, y, width, height
  std::vector<double> keypoints;  // x, y, v per key point
};

struct ImageRecipe;

struct SampleMeta {
  int64_t id = -1, img_id = -1;
  int category_id = 1;
  double crowd_index = 0;
  std::string img_path, dataset_name;
  std::string target_img_path;  // lifting sequences: the frame that the target belongs to
  std::array<int, 2> ori_shape{}, img_shape{};         // height, width
  std::array<int, 2> input_size{};                     // width, height of the network's input
  std::array<float, 2> input_center{}, input_scale{};  // of the crop, image space
  bool flip = false;
  std::string flip_direction;
  std::vector<int> flip_indices;
  std::vector<std::shared_ptr<const RawAnnotation>> raw_annotations;  // one per instance
  TensorLists more;  // camera parameters and whatever else a family needs
};

struct DataSample {
  Tensor inputs;  // (H, W, 3) u8 or f32, channels B, G, R; other families: their own shape
  SampleMeta meta;
  Instances gt_instances;  // image space
  TensorLists labels;      // per-instance targets: keypoint_labels, keypoint_weights, ...
  TensorLists fields;      // maps: heatmaps, ..., (K, H, W)
  Instances pred_instances;
  TensorLists pred_fields;
  std::shared_ptr<const ImageRecipe> recipe;  // what is still to be made of `inputs`; null: nothing
};

}  // namespace limber
