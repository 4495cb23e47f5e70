// From key points to training targets and to what the loader hands out.
#pragma once

#include "data/transforms/transform.h"
#include "pose/codecs/codec.h"

namespace limber {

// Encodes the key points in input space by one codec, by several whose targets are joined, or by
// one per level of a multi-level head.
class GenerateTarget : public Transform {
 public:
  explicit GenerateTarget(const Config& config);
  ~GenerateTarget() override;
  bool apply(Sample& sample, Random& random) const override;

 private:
  TensorLists encode_all(const Sample& sample, Random& random) const;
  TensorLists encode(const Codec& codec, const EncodeInput& input, const Sample& sample) const;
  std::vector<std::unique_ptr<Codec>> codecs_;
  bool multilevel_, use_dataset_weights_;
};

// Key points of one data set under the numbering of another: each target takes a source point or
// the middle of two. keypoints_visible becomes (N, K, 2): visibility and whether it was mapped.
class KeypointConverter : public Transform {
 public:
  explicit KeypointConverter(const Config& config);
  bool apply(Sample& sample, Random& random) const override;

 private:
  struct Source {
    int first, second, target;
  };
  int num_keypoints_;
  std::vector<Source> mapping_;
};

// 21 hand points into a larger set at the places of the hand that more["hand_type"] names.
class SingleHandConverter : public Transform {
 public:
  explicit SingleHandConverter(const Config& config);
  bool apply(Sample& sample, Random& random) const override;

 private:
  using Mapping = std::vector<std::array<int, 2>>;
  static Mapping read_mapping(const Config& list, int num_keypoints);
  int num_keypoints_;
  Mapping left_, right_;
};

// Gathers what models and metrics use into sample.packed.
class PackPoseInputs : public Transform {
 public:
  explicit PackPoseInputs(const Config& config);
  bool apply(Sample& sample, Random& random) const override;

 private:
  bool pack_transformed_;
  std::vector<std::string> meta_keys_;
  std::vector<std::pair<std::string, std::string>> extra_labels_;  // field, name as a label
};

}  // namespace limber
