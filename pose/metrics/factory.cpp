// The table of metrics, and the evaluator that holds several.
#include <algorithm>
#include <set>

#include "pose/metrics/metrics.h"
#include "tensor/error.h"

namespace limber {
namespace {

struct MetricType {
  const char* name;
  std::unique_ptr<Metric> (*make)(const Config&, const DatasetMeta&);
  const char* prefix;  // default
};

// clang-format off
constexpr MetricType kTypes[] = {
    {"CocoMetric",              make_coco_metric,           "coco"},
    {"CocoWholeBodyMetric",     make_coco_wholebody_metric, "coco-wholebody"},
    {"PoseTrack18Metric",       make_posetrack18_metric,    "posetrack18"},
    {"PCKAccuracy",             make_pck_metric,            ""},
    {"MpiiPCKAccuracy",         make_mpii_pck_metric,       ""},
    {"JhmdbPCKAccuracy",        make_jhmdb_pck_metric,      ""},
    {"AUC",                     make_auc_metric,            ""},
    {"EPE",                     make_epe_metric,            ""},
    {"NME",                     make_nme_metric,            ""},
    {"MPJPE",                   make_mpjpe_metric,          ""},
    {"SimpleMPJPE",             make_simple_mpjpe_metric,   ""},
    {"InterHandMetric",         make_interhand_metric,      ""},
    {"KeypointPartitionMetric", make_partition_metric,      ""},
};
// clang-format on

}  // namespace

MetricValues Metric::compute() {
  MetricValues out = values();
  forget();
  if (!prefix_.empty())
    for (auto& value : out) value.first = prefix_ + "/" + value.first;
  return out;
}

std::unique_ptr<Metric> make_metric(const Config& config, const DatasetMeta& meta) {
  const std::string type = config.type();
  std::vector<std::string> known;
  for (const MetricType& row : kTypes) {
    known.push_back(row.name);
    if (type != row.name) continue;
    config.find("collect_device");  // where ranks meet; results gather on the host here
    const std::string prefix = config.get<std::string>("prefix", row.prefix);
    std::unique_ptr<Metric> metric = row.make(config, meta);
    metric->set_prefix(prefix);
    config.expect_all_read();
    return metric;
  }
  fail_input(config.path(), ".type: unknown metric \"", type, "\"", did_you_mean(type, known));
}

Evaluator::Evaluator(const Config& config, const DatasetMeta& meta, const MetaOfDataset& meta_of) {
  if (config.is_list()) {
    for (size_t i = 0; i < config.size(); ++i)
      entries_.push_back({"", make_metric(config.at(i), meta)});
    return;
  }
  if (config.type() != "MultiDatasetEvaluator") {
    entries_.push_back({"", make_metric(config, meta)});
    return;
  }
  const Config metrics = config.at("metrics"), datasets = config.at("datasets");
  check_input(metrics.size() == datasets.size(), config.path(), ": ", metrics.size(),
              " metrics for ", datasets.size(), " datasets");
  check(meta_of != nullptr, "MultiDatasetEvaluator: nothing resolves the facts of its datasets");
  for (size_t i = 0; i < metrics.size(); ++i) {
    const DatasetMeta own = meta_of(datasets.at(i));
    entries_.push_back({own.dataset_name, make_metric(metrics.at(i), own)});
  }
  config.expect_all_read();
}

void Evaluator::process(std::span<const DataSample> samples) {
  for (Entry& entry : entries_) {
    if (entry.dataset_name.empty()) {
      entry.metric->process(samples);
      continue;
    }
    for (const DataSample& sample : samples)
      if (sample.meta.dataset_name == entry.dataset_name) entry.metric->process({&sample, 1});
  }
}

MetricValues Evaluator::compute() {
  MetricValues out;
  std::set<std::string> names;
  for (Entry& entry : entries_)
    for (auto& value : entry.metric->compute()) {
      check_input(names.insert(value.first).second, "evaluator: two metrics give \"", value.first,
                  "\"; set their `prefix`");
      out.push_back(std::move(value));
    }
  return out;
}

std::vector<std::pair<std::string, MetricValues>> Evaluator::details() const {
  std::vector<std::pair<std::string, MetricValues>> out;
  for (const Entry& entry : entries_)
    for (auto& table : entry.metric->details()) out.push_back(std::move(table));
  return out;
}

const Tensor& required(const TensorLists& lists, std::string_view name, const char* where) {
  const auto found = lists.find(name);
  check_input(found != lists.end() && !found->second.empty() && found->second[0].defined(),
              "metric: ", where, " has no ", name);
  return found->second[0];
}

const Tensor& required(const Tensor& tensor, const char* name) {
  check_input(tensor.defined(), "metric: a sample has no ", name);
  return tensor;
}

PointMask visible_mask(const Tensor& visible) {
  const std::vector<double> values = to_doubles(visible);
  const size_t step = visible.rank() == 3 ? size_t(visible.size(2)) : 1;
  PointMask mask;
  for (size_t i = 0; i < values.size(); i += step) mask.push_back(values[i] != 0);
  return mask;
}

std::vector<std::string> names_of(const Config& config, std::string_view key,
                                  const std::string& fallback) {
  if (!config.has(key)) return {config.get<std::string>(key, fallback)};
  const Config node = config.at(key);
  if (node.is_list()) return node.as<std::vector<std::string>>();
  return {node.as<std::string>()};
}

void PointPairs::add(const Tensor& predicted, const Tensor& truth, const Tensor& visible) {
  const Points p = to_points(predicted), t = to_points(truth);
  const PointMask m = visible_mask(visible);
  check_input(p.N == t.N && p.K == t.K && p.D == t.D && int64_t(m.size()) == t.N * t.K,
              "metric: predictions ", predicted.shape(), ", truth ", truth.shape(), ", visibility ",
              visible.shape());
  pred.append(p);
  gt.append(t);
  mask.insert(mask.end(), m.begin(), m.end());
}

void PointPairs::check_any(const char* metric) const {
  check_input(gt.N > 0, metric, ": no sample was evaluated");
}

}  // namespace limber
