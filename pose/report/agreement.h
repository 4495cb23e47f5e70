// How well predicted key points agree with labelled ones, per key point and per instance.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "pose/core/dataset_meta.h"
#include "pose/core/instances.h"

namespace limber {

struct KeypointAgreement {
  std::string name;
  int64_t labelled = 0;
  double oks = 0;           // mean of exp(-d^2 / (2 (2 sigma)^2 area))
  double pck = 0;           // share nearer than a tenth of the box's longer side
  double median_error = 0;  // pixels of the image
  double mean_score = 0;
};

struct InstanceAgreement {
  size_t sample = 0;  // index among those added
  double oks = 0;     // mean over its labelled key points
};

class AgreementTable {
 public:
  explicit AgreementTable(DatasetMeta meta)
      : meta_(std::move(meta)), points_(meta_.keypoint_names.size()) {}

  // Samples with pred_instances and gt_instances of one instance each, image space. Those without
  // a labelled key point are passed over.
  void add(std::span<const DataSample> samples);
  std::vector<KeypointAgreement> keypoints() const;
  // Worst first.
  std::vector<InstanceAgreement> worst() const;

 private:
  struct Point {
    std::vector<double> errors, oks, scores;
    int64_t near = 0;
  };
  DatasetMeta meta_;
  std::vector<Point> points_;
  std::vector<InstanceAgreement> instances_;
  size_t added_ = 0;
};

}  // namespace limber
