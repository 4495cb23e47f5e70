// Metrics collect what one epoch of validation predicts and turn it into named numbers.
//
// A sample carries predictions and truth in image space. Besides the named members a metric may
// look for these arrays under `more`:
//   gt_instances: bbox_scales (N, 2), bbox_scores (N), head_size, box_size or another norm item
//   (N),
//     keypoints_cam (N, K, 3), lifting_target (T, K, 3), lifting_target_visible (T, K)
//   pred_instances: hand_type (1, 2), rel_root_depth (1)
//   meta: hand_type (1, 2), hand_type_valid (1), abs_depth (2), focal (2), principal_pt (2)
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pose/config/config.h"
#include "pose/core/dataset_meta.h"
#include "pose/core/instances.h"

namespace limber {

using MetricValues = std::vector<std::pair<std::string, double>>;

class Metric {
 public:
  virtual ~Metric() = default;
  virtual void process(std::span<const DataSample> samples) = 0;
  // The numbers of all samples processed so far, which are then forgotten. Names start with
  // "prefix/" where there is a prefix.
  MetricValues compute();
  // Further tables of the last compute(), by part, for printing only.
  virtual std::vector<std::pair<std::string, MetricValues>> details() const { return {}; }

  void set_prefix(std::string prefix) { prefix_ = std::move(prefix); }
  const std::string& prefix() const { return prefix_; }

 protected:
  virtual MetricValues values() = 0;
  virtual void forget() = 0;

 private:
  std::string prefix_;
};

// By config["type"]; throws InputError naming the known types.
std::unique_ptr<Metric> make_metric(const Config& config, const DatasetMeta& meta);

// What a val_evaluator or test_evaluator node asks for: one metric, a list of them, or a
// MultiDatasetEvaluator whose metrics each take the samples of one data set.
class Evaluator {
 public:
  // Facts of a data set from its config node ({type: CocoDataset, ...}).
  using MetaOfDataset = std::function<DatasetMeta(const Config& dataset)>;

  Evaluator(const Config& config, const DatasetMeta& meta, const MetaOfDataset& meta_of = {});
  void process(std::span<const DataSample> samples);
  // All metrics' numbers in order. Throws where two metrics give one name.
  MetricValues compute();
  std::vector<std::pair<std::string, MetricValues>> details() const;

 private:
  struct Entry {
    std::string dataset_name;  // empty: takes all samples
    std::unique_ptr<Metric> metric;
  };
  std::vector<Entry> entries_;
};

}  // namespace limber
