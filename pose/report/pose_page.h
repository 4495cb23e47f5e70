// A page of what a model of points in space found.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "pose/core/dataset_meta.h"
#include "pose/core/instances.h"

namespace limber {

// Shows the poses that lie in space, as TopdownPoseEstimator3D finds them: one turning view of the
// first person of each picture, one of the second, ..., played in the pictures' order.
class PosePage {
 public:
  explicit PosePage(DatasetMeta meta) : meta_(std::move(meta)) {}
  // In any number of calls; the samples of one image follow each other. Others than in space are
  // passed over.
  void add(std::span<const DataSample> samples);
  bool empty() const { return tracks_.empty(); }
  void write(const std::string& path) const;

 private:
  DatasetMeta meta_;
  std::vector<std::vector<Tensor>> tracks_;  // of each person, poses (1, K, 3)
  std::string last_image_;
  size_t person_ = 0;  // the next one of that image
};

}  // namespace limber
