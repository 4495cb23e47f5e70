// Predictions in files: COCO's results format, and a readable one per image.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "pose/core/dataset_meta.h"
#include "pose/core/instances.h"

namespace limber {

class PredictionFile {
 public:
  explicit PredictionFile(DatasetMeta meta) : meta_(std::move(meta)) {}
  // Samples with pred_instances in image space, or lifted, in any order; those of one image are put
  // together. A lifted sequence counts as an image of as many instances as frames.
  void add(std::span<const DataSample> samples);

  // [{"image_id", "category_id", "keypoints": [x, y, score, ...], "score", "bbox": [x, y, w, h]}]
  void write_coco(const std::string& path) const;
  // {"keypoints": [names], "images": [{"file", "instances": [{"bbox": [x1, y1, x2, y2], "score",
  // "keypoints": {name: [x, y, score] or [x, y, z, score]}}]}]}
  void write_readable(const std::string& path) const;

 private:
  struct Instance {
    std::vector<float> points;  // x, y, (z,) score
    size_t dims = 2;            // coordinates of a point
    std::vector<float> flat;    // x, y, score: on the picture, or the point's without its depth
    std::vector<float> box;     // x1, y1, x2, y2, or empty
    double score = 0;           // mean of the points' scores times the box's
    int category = 1;
  };
  struct Image {
    std::string file;
    int64_t id = -1;
    std::vector<Instance> instances;
  };
  DatasetMeta meta_;
  std::vector<Image> images_;
  std::map<std::string, size_t> by_file_;
};

}  // namespace limber
