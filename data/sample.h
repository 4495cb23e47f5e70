// One image (or one person's crop) on its way through the transforms: what a data set's record
// becomes before it is packed. N instances, K key points; tensors are f32 on the host.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pose/core/affine.h"
#include "pose/core/dataset_meta.h"
#include "pose/core/instances.h"

namespace limber {

struct Dataset;
class ImageFile;
struct ImageRecipe;

// Outlines of one annotation: polygons (x, y, x, y, ...) or run lengths of columns from top to
// bottom, background first, as COCO stores crowds.
struct Segmentation {
  std::vector<std::vector<float>> polygons;
  std::vector<uint32_t> run_lengths;
  std::array<int, 2> size{};  // height, width of the run-length mask
};

struct Sample {
  Tensor img;                       // u8 (H, W, 3), channels B, G, R
  std::vector<Tensor> scaled_imgs;  // the same at other scales, for multi-scale tests
  Tensor img_mask;                  // u8 (H, W, 1) or undefined
  SampleMeta meta;

  Tensor bbox;                   // (N, 4), or (N, 4, 2) corners after a rotation
  Tensor bbox_score;             // (N,)
  Tensor bbox_center;            // (N, 2)
  Tensor bbox_scale;             // (N, 2)
  Tensor bbox_rotation;          // (N,) degrees
  Tensor keypoints;              // (N, K, 2 or 3)
  Tensor keypoints_visible;      // (N, K), or (N, K, 2): visibility and weight
  Tensor transformed_keypoints;  // like keypoints, in input space
  Tensor area;                   // (N,)
  Tensor category_id;            // (N,)
  TensorLists more;          // everything else that has one row per instance, under MMPose's names
  std::vector<int64_t> ids;  // of the annotations, one per instance; empty: meta.id alone

  std::vector<Segmentation> invalid_segs;  // of what is in the image but not annotated for poses
  bool warped = false;                     // whether warp_mat says how img came from the file
  Matrix33 warp_mat{1, 0, 0, 0, 1, 0, 0, 0, 1};
  bool has_input_size() const { return meta.input_size[0] > 0; }

  std::shared_ptr<const DatasetMeta> dataset;  // upper and lower body, weights
  std::vector<float> keypoint_weights;         // K, of the data set
  const Dataset* source = nullptr;             // for transforms that mix in other samples

  TensorLists labels, fields;  // targets, set by GenerateTarget
  // With LoadImage's on_device: what is to be done to img and drawn later; img stays as it is.
  std::shared_ptr<ImageRecipe> recipe;
  // Instead of img where only TopdownAffine needs pixels: from LoadImage to there, with a recipe.
  std::shared_ptr<const ImageFile> file;
  std::shared_ptr<DataSample> packed;  // set by PackPoseInputs

  int64_t num_instances() const;
  // {W, H} of the image as it is now, or of the file before it is loaded.
  std::array<int, 2> image_size() const;
};

// Keeps the instances with these indices in every per-instance field.
void keep_instances(Sample& sample, const std::vector<int64_t>& indices);
// Appends the instances of `other`; fields that only one of them has are dropped.
void append_instances(Sample& sample, const Sample& other);
// Rows of t (N, ...).
Tensor take_rows(const Tensor& t, const std::vector<int64_t>& indices);
Tensor stack_rows(const Tensor& a, const Tensor& b);

}  // namespace limber
