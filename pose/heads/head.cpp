#include "pose/heads/head.h"

#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {
namespace {

const Tensor& level_of(const TensorLists& lists, std::string_view name, size_t level,
                       const char* kind) {
  const auto it = lists.find(name);
  if (it != lists.end()) {
    check(level < it->second.size(), "the head wants level ", level, " of ", kind, " \"", name,
          "\"; the samples have ", it->second.size(), ": see generate_target.multilevel");
    return it->second[level];
  }
  std::string known;
  for (const auto& [key, value] : lists) known += (known.empty() ? "" : ", ") + key;
  fail("the head wants ", kind, " \"", name, "\"; the samples have ",
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

Tensor batch_labels(ConstBatch samples, std::string_view name, size_t level) {
  const NoRecord no_record;
  std::vector<Tensor> parts;
  for (const DataSample& sample : samples)
    parts.push_back(level_of(sample.labels, name, level, "the label"));
  return concat(parts, 0).to(current_device());
}

Tensor batch_fields(ConstBatch samples, std::string_view name, size_t level) {
  const NoRecord no_record;
  std::vector<Tensor> parts;
  for (const DataSample& sample : samples)
    parts.push_back(level_of(sample.fields, name, level, "the field"));
  return stack(parts, 0).to(current_device());
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
