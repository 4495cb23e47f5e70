// Moving annotations, predictions and sigmas from one convention of key points to another before
// they are compared (gt_converter, pred_converter).
#pragma once

#include <span>
#include <vector>

#include "pose/config/config.h"
#include "pose/core/instances.h"

namespace limber {

// Target points without a source stay 0 (with sigma 1). A target of two sources takes their mean
// place, the lesser visibility or score, and the mean sigma.
struct KeypointMapping {
  struct Pair {
    int source = 0, second = -1, target = 0;  // second: -1 where there is one source
  };
  int num_keypoints = 0;  // of the target
  std::vector<Pair> pairs;

  // values: (N, K, channels) with the last channel a visibility or score. Returns (N, K',
  // channels).
  std::vector<double> points(std::span<const double> values, int64_t K, int64_t channels) const;
  std::vector<float> sigmas(std::span<const float> of_source) const;
  RawAnnotation annotation(const RawAnnotation& ann) const;
};

// {type: KeypointConverter, num_keypoints, mapping: [[source | [a, b], target], ...]}.
KeypointMapping read_keypoint_mapping(const Config& config);

}  // namespace limber
