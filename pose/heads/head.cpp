#include "pose/heads/head.h"

#include <cstring>

#include "tensor/capture.h"
#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {
namespace {

const Tensor& level_of(const TensorLists& lists, std::string_view name, size_t level,
                       const char* kind) {
  const auto it = lists.find(name);
  if (it != lists.end()) {
    check(level < it->second.size(), "the head wants level ", level, " of the ", kind, " \"", name,
          "\"; the samples have ", it->second.size(), ": see generate_target.multilevel");
    return it->second[level];
  }
  std::string known;
  for (const auto& [key, value] : lists) known += (known.empty() ? "" : ", ") + key;
  fail("the head wants the ", kind, " \"", name, "\"; the samples have ",
       known.empty() ? "none" : known);
}

}  // namespace

TestOptions read_test_options(const Config& c) {
  TestOptions o;
  o.all = c;
  if (c.is_null()) return o;
  o.flip_test = c.get("flip_test", false);
  o.flip_mode = c.get<std::string>("flip_mode", "heatmap");
  o.shift_heatmap = c.get("shift_heatmap", false);
  o.shift_coords = c.get("shift_coords", true);
  o.output_heatmaps = c.get("output_heatmaps", false);
  return o;
}

TrainOptions read_train_options(const Config& c) {
  TrainOptions o;
  if (c.is_null()) return o;
  o.compute_acc = c.get("compute_acc", true);
  o.max_train_instances = c.get<int64_t>("max_train_instances", -1);
  return o;
}

std::vector<Prediction> Head::predict_scales(std::span<const ScaleFeatures> scales,
                                             ConstBatch samples, const TestOptions& test) const {
  check(scales.size() == 1, "this head predicts at one scale, not at ", scales.size());
  return predict(scales[0].maps, test.flip_test ? &scales[0].flipped : nullptr, samples, test);
}

void Head::set_option(const std::string& path, const Config&) {
  fail_input("this head has no option \"", path, "\" to switch while training");
}

namespace {

// Where the targets of a sample lie.
struct TargetName {
  TensorLists DataSample::*lists;
  const char* kind;
  std::string name;
  size_t level;
  const Tensor& of(const DataSample& sample) const {
    return level_of(sample.*lists, name, level, kind);
  }
};

// One after another in memory, as `shape`; on a GPU they are read anew for each replay of a
// captured step. Those that were drawn on the device lie where they lay for the batch before.
Tensor joined(ConstBatch samples, const TargetName& target, const Shape& shape) {
  if (target.of(samples[0]).device().is_cuda()) {
    const NoRecord no_record;
    std::vector<Tensor> parts;
    for (const DataSample& sample : samples) parts.push_back(target.of(sample));
    return reshape(concat(parts, 0), shape);
  }
  const auto fill = [samples, target](const Tensor& host) {
    auto* to = static_cast<std::byte*>(host.raw());
    size_t left = host.bytes();
    for (const DataSample& sample : samples) {
      const Tensor& part = target.of(sample);
      check(part.dtype() == host.dtype() && part.bytes() <= left, "the samples' ", target.kind,
            " \"", target.name, "\": ", part.dtype(), " ", part.shape(), " does not fit into ",
            host.dtype(), " ", host.shape());
      std::memcpy(to, part.raw(), part.bytes());
      to += part.bytes();
      left -= part.bytes();
    }
    check(left == 0, "the samples' ", target.kind, " \"", target.name, "\" do not fill ",
          host.shape());
  };
  return fed(shape, target.of(samples[0]).dtype(), fill).to(current_device());
}

void check_extents(ConstBatch samples, const TargetName& target, int from) {
  const Shape& first = target.of(samples[0]).shape();
  for (const DataSample& sample : samples) {
    const Shape& shape = target.of(sample).shape();
    bool same = shape.rank() == first.rank();
    for (int d = from; same && d < shape.rank(); ++d) same = shape[d] == first[d];
    check(same, "the samples' ", target.kind, " \"", target.name, "\" are ", first, " and ", shape);
  }
}

}  // namespace

Tensor batch_labels(ConstBatch samples, std::string_view name, size_t level) {
  check(!samples.empty(), "the head wants the label \"", name, "\" of an empty batch");
  const TargetName target{&DataSample::labels, "label", std::string(name), level};
  check_extents(samples, target, 1);
  const Shape& first = target.of(samples[0]).shape();
  int64_t rows = 0;
  for (const DataSample& sample : samples) rows += target.of(sample).size(0);
  return joined(samples, target, first.without(0).inserted(0, rows));
}

Tensor batch_fields(ConstBatch samples, std::string_view name, size_t level) {
  check(!samples.empty(), "the head wants the field \"", name, "\" of an empty batch");
  const TargetName target{&DataSample::fields, "field", std::string(name), level};
  check_extents(samples, target, 0);
  return joined(samples, target,
                target.of(samples[0]).shape().inserted(0, int64_t(samples.size())));
}

Tensor sample_of(const Tensor& batch, size_t i) {
  const Shape shape = batch.shape().without(0);
  return batch.alias(shape, int64_t(i) * shape.numel());
}

std::vector<Prediction> decode_batch(const Codec* codec, std::span<const Tensor> batch) {
  check(codec != nullptr,
        "the head has no decoder, so it predicts nothing: set model.head.decoder");
  const DeviceScope on_host({});
  std::vector<Tensor> maps;
  for (const Tensor& t : batch) maps.push_back(t.to(DType::f32).to(Device{}));
  std::vector<Prediction> predictions;
  for (size_t i = 0; i < size_t(batch[0].size(0)); ++i) {
    std::vector<Tensor> parts;
    for (const Tensor& t : maps) parts.push_back(sample_of(t, i));
    Decoded decoded = codec->decode(parts);
    Prediction p;
    p.instances.keypoints = std::move(decoded.keypoints);
    p.instances.keypoint_scores = std::move(decoded.scores);
    p.instances.keypoints_visible = std::move(decoded.visible);
    p.instances.bbox_scores = std::move(decoded.instance_scores);
    p.instances.more = std::move(decoded.more);
    predictions.push_back(std::move(p));
  }
  return predictions;
}

const std::vector<int>& flip_indices_of(ConstBatch samples) {
  check(!samples.empty() && !samples[0].meta.flip_indices.empty(),
        "flip_test needs the data set's flip indices in the samples");
  return samples[0].meta.flip_indices;
}

}  // namespace limber
