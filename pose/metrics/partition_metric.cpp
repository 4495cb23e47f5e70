// KeypointPartitionMetric: one metric per named subset of the key points.
#include <algorithm>
#include <cstring>

#include "pose/metrics/metrics.h"
#include "tensor/error.h"

namespace limber {
namespace {

// (N, K, ...) -> (N, indices, ...).
Tensor select_points(const Tensor& tensor, const std::vector<int>& indices) {
  if (!tensor) return tensor;
  check(tensor.rank() >= 2, "partition: a tensor of key points (N, K, ...), not ", tensor.shape());
  const int64_t N = tensor.size(0), K = tensor.size(1);
  std::vector<int64_t> dims;
  for (int i = 0; i < tensor.rank(); ++i) dims.push_back(tensor.size(i));
  dims[1] = int64_t(indices.size());
  Tensor out = Tensor::empty(Shape(std::span<const int64_t>(dims)), tensor.dtype());
  if (N == 0 || K == 0) return out;
  const size_t row = tensor.bytes() / size_t(N * K);
  auto* to = static_cast<std::byte*>(out.raw());
  const auto* from = static_cast<const std::byte*>(tensor.raw());
  for (int64_t n = 0; n < N; ++n)
    for (int index : indices) {
      check_input(index < K, "KeypointPartitionMetric: key point ", index, " of ", K);
      std::memcpy(to, from + size_t(n * K + index) * row, row);
      to += row;
    }
  return out;
}

std::shared_ptr<const RawAnnotation> select_points(const RawAnnotation& ann,
                                                   const std::vector<int>& indices) {
  auto out = std::make_shared<RawAnnotation>(ann);
  out->keypoints.clear();
  out->num_keypoints = 0;
  for (int index : indices) {
    check_input(3 * size_t(index) + 2 < ann.keypoints.size(),
                "KeypointPartitionMetric: annotation ", ann.id, " has no key point ", index);
    const auto point = ann.keypoints.begin() + 3 * index;
    out->keypoints.insert(out->keypoints.end(), point, point + 3);
    out->num_keypoints += point[2] > 0;
  }
  return out;
}

DataSample select_points(const DataSample& sample, const std::vector<int>& indices) {
  DataSample out;
  out.meta = sample.meta;
  out.gt_instances = sample.gt_instances;
  out.pred_instances = sample.pred_instances;
  for (Instances* instances : {&out.gt_instances, &out.pred_instances})
    for (Tensor* tensor :
         {&instances->keypoints, &instances->keypoint_scores, &instances->keypoints_visible})
      *tensor = select_points(*tensor, indices);
  for (auto& raw : out.meta.raw_annotations)
    if (raw) raw = select_points(*raw, indices);
  return out;
}

// The annotations' file is whole; parts are evaluated on the samples' own annotations.
Config without_file(const Config& config) {
  Config out = config.clone();
  if (out.has("ann_file")) out.erase("ann_file");
  return out;
}

class PartitionMetric : public Metric {
 public:
  PartitionMetric(const Config& config, const DatasetMeta& meta) {
    const Config inner = config.at("metric"), partitions = config.at("partitions");
    const std::string type = inner.type();
    check_input(type == "CocoMetric" || type == "PCKAccuracy" || type == "AUC" || type == "EPE" ||
                    (type == "NME" && inner.get<std::string>("norm_mode", "") == "use_norm_item"),
                inner.path(), ".type: \"", type, "\" cannot be evaluated by parts; CocoMetric, ",
                "PCKAccuracy, AUC, EPE and NME with norm_mode use_norm_item can");
    check_input(!partitions.keys().empty(), partitions.path(), ": no partition");
    for (const std::string& name : partitions.keys()) {
      Part part{name, partitions.get<std::vector<int>>(name), nullptr};
      check_input(
          !part.indices.empty() && *std::min_element(part.indices.begin(), part.indices.end()) >= 0,
          partitions.path(), ".", name, ": needs key points");
      part.metric = make_metric(without_file(inner), meta_of(meta, part));
      parts_.push_back(std::move(part));
    }
    inner.ignore();
  }

  void process(std::span<const DataSample> samples) override {
    for (const DataSample& sample : samples)
      for (Part& part : parts_) {
        const DataSample some = select_points(sample, part.indices);
        part.metric->process({&some, 1});
      }
  }

 protected:
  MetricValues values() override {
    MetricValues out;
    for (Part& part : parts_)
      for (auto& [key, value] : part.metric->compute())
        out.emplace_back(part.name + "/" + key, value);
    return out;
  }
  void forget() override {}  // the parts have forgotten theirs

 private:
  struct Part {
    std::string name;
    std::vector<int> indices;
    std::unique_ptr<Metric> metric;
  };

  static DatasetMeta meta_of(const DatasetMeta& meta, const Part& part) {
    DatasetMeta out;
    out.dataset_name = meta.dataset_name;
    out.categories = meta.categories;
    out.num_keypoints = int(part.indices.size());
    for (int index : part.indices)
      if (!meta.sigmas.empty()) {
        check_input(size_t(index) < meta.sigmas.size(), "KeypointPartitionMetric: ", part.name,
                    " has key point ", index, " of ", meta.sigmas.size());
        out.sigmas.push_back(meta.sigmas[size_t(index)]);
      }
    return out;
  }

  std::vector<Part> parts_;
};

}  // namespace

std::unique_ptr<Metric> make_partition_metric(const Config& config, const DatasetMeta& meta) {
  return std::make_unique<PartitionMetric>(config, meta);
}

}  // namespace limber
