// The makers behind make_metric(), one per type of config, and what they share in reading samples.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pose/core/keypoint_metrics.h"
#include "pose/metrics/metric.h"

namespace limber {

std::unique_ptr<Metric> make_coco_metric(const Config& config, const DatasetMeta& meta);
std::unique_ptr<Metric> make_coco_wholebody_metric(const Config& config, const DatasetMeta& meta);
std::unique_ptr<Metric> make_posetrack18_metric(const Config& config, const DatasetMeta& meta);
std::unique_ptr<Metric> make_pck_metric(const Config& config, const DatasetMeta& meta);
std::unique_ptr<Metric> make_mpii_pck_metric(const Config& config, const DatasetMeta& meta);
std::unique_ptr<Metric> make_jhmdb_pck_metric(const Config& config, const DatasetMeta& meta);
std::unique_ptr<Metric> make_auc_metric(const Config& config, const DatasetMeta& meta);
std::unique_ptr<Metric> make_epe_metric(const Config& config, const DatasetMeta& meta);
std::unique_ptr<Metric> make_nme_metric(const Config& config, const DatasetMeta& meta);
std::unique_ptr<Metric> make_mpjpe_metric(const Config& config, const DatasetMeta& meta);
std::unique_ptr<Metric> make_simple_mpjpe_metric(const Config& config, const DatasetMeta& meta);
std::unique_ptr<Metric> make_interhand_metric(const Config& config, const DatasetMeta& meta);
std::unique_ptr<Metric> make_partition_metric(const Config& config, const DatasetMeta& meta);

// The array of this name; throws InputError saying where it is missing.
const Tensor& required(const TensorLists& lists, std::string_view name, const char* where);
const Tensor& required(const Tensor& tensor, const char* name);
// Which points count, (N, K): the first channel of (N, K) or (N, K, channels), not zero.
PointMask visible_mask(const Tensor& visible);
// A string or a list of strings.
std::vector<std::string> names_of(const Config& config, std::string_view key,
                                  const std::string& fallback);

// Predicted and true key points of an epoch, one row per instance.
struct PointPairs {
  Points pred, gt;
  PointMask mask;

  void add(const Tensor& predicted, const Tensor& truth, const Tensor& visible);
  void check_any(const char* metric) const;  // throws when nothing was collected
};

}  // namespace limber
