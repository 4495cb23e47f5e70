#include "pose/heads/ae_head.h"

#include "pose/heads/flip.h"
#include "pose/heads/heatmap_layers.h"
#include "pose/heads/instance_maps.h"
#include "pose/losses/loss.h"
#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {
namespace {

class AssociativeEmbeddingHead : public Head {
 public:
  AssociativeEmbeddingHead(const Config& c, const Scope& s)
      : count_(c.get<int64_t>("num_keypoints")),
        tag_per_keypoint_(c.get("tag_per_keypoint", true)),
        tag_channels_(c.get<int64_t>("tag_dim", 1) * (tag_per_keypoint_ ? count_ : 1)),
        layers_(c, s, count_ + tag_channels_),
        map_loss_(named_loss(c, s, "keypoint_loss", R"({"type": "KeypointMSELoss"})")),
        tag_loss_(named_loss(c, s, "tag_loss", R"({"type": "AssociativeEmbeddingLoss"})")) {
    check_input(count_ > 0 && tag_channels_ > 0, c.path(),
                ": num_keypoints and tag_dim must be positive");
    if (c.has("decoder")) codec_ = make_codec(c.at("decoder"));
  }

  Outputs forward(const Features& features) const override {
    const Maps maps = outputs(features);
    return {{"0", maps.heat}, {"1", maps.tags}};
  }

  Losses loss(const Features& features, ConstBatch samples) const override {
    const Maps maps = outputs(features);
    const Tensor target = batch_fields(samples, "heatmaps");
    const Tensor kpt = map_loss_->single({.outputs = {maps.heat},
                                          .targets = {target},
                                          .weight = map_weights(samples, target.dtype()),
                                          .mask = batch_heatmap_mask(samples)});
    LossInput tags{
        .outputs = {tags_of_keypoints(maps.tags)}, .targets = {}, .weight = {}, .mask = {}};
    for (size_t i = 0; i < samples.size(); ++i)
      tags.targets.push_back(batch_labels(samples.subspan(i, 1), "keypoint_indices"));
    const std::vector<Tensor> pull_push = (*tag_loss_)(tags);
    return {{"loss_kpt", kpt}, {"loss_pull", pull_push.at(0)}, {"loss_push", pull_push.at(1)}};
  }

  std::vector<Prediction> predict(const Features& features, const Features* flipped,
                                  ConstBatch samples, const TestOptions& test) const override {
    ScaleFeatures scale{features, flipped ? *flipped : Features()};
    return predict_scales({&scale, 1}, samples, test);
  }

  bool predicts_scales() const override { return true; }

  std::vector<Prediction> predict_scales(std::span<const ScaleFeatures> scales, ConstBatch samples,
                                         const TestOptions& test) const override {
    const bool align = test.all.get("align_corners", false);
    const std::array<int, 2> size = restored_size(samples, test);
    std::vector<Tensor> heats;
    Tensor tags;  // of the original scale
    for (const ScaleFeatures& scale : scales) {
      Maps maps = outputs(scale.maps);
      maps.tags = tags_of_keypoints(maps.tags);
      if (test.flip_test) add_flipped(maps, scale.flipped, samples, test);
      if (heats.empty()) tags = resized_maps(maps.tags, size, align);
      heats.push_back(resized_maps(maps.heat, size, align));
    }
    Tensor heat = heats[0];
    for (size_t i = 1; i < heats.size(); ++i)
      heat = heat + resized_maps(heats[i], {int(heat.size(2)), int(heat.size(3))}, align);
    if (heats.size() > 1) heat = heat / double(heats.size());
    const Tensor parts[] = {heat, tags};
    std::vector<Prediction> predictions = decode_batch(codec(), parts);
    if (test.output_heatmaps)
      for (size_t i = 0; i < predictions.size(); ++i)
        predictions[i].fields = {{"heatmaps", {sample_of(heat, i)}},
                                 {"tags", {sample_of(tags, i)}}};
    return predictions;
  }

  const Codec* codec() const override { return codec_.get(); }

 private:
  struct Maps {
    Tensor heat, tags;
  };

  Maps outputs(const Features& features) const {
    const Tensor all = maps_first(layers_(features.back()));
    return {slice(all, 1, 0, count_), slice(all, 1, count_, count_ + tag_channels_)};
  }

  // (N, L, H, W) -> (N, L K, H, W) where all key points share the tags.
  Tensor tags_of_keypoints(const Tensor& tags) const {
    if (tag_per_keypoint_) return tags;
    const int64_t N = tags.size(0), L = tags.size(1), H = tags.size(2), W = tags.size(3);
    return reshape(expand(reshape(tags, {N, L, 1, H, W}), {N, L, count_, H, W}), {N, -1, H, W});
  }

  // (B, K): whether anybody on the image has the key point. The codec's weights are one row per
  // person, while all people share a map.
  Tensor map_weights(ConstBatch samples, DType dtype) const {
    std::vector<Tensor> rows;
    for (size_t i = 0; i < samples.size(); ++i) {
      const Tensor own = batch_labels(samples.subspan(i, 1), "keypoint_weights").to(DType::f32);
      rows.push_back(max(concat({Tensor::zeros({1, count_}), own}, 0), 0, /*keep_dims=*/true));
    }
    return concat(rows, 0).to(dtype);
  }

  // Averages the heat maps with those of the mirror image, and appends its tags.
  void add_flipped(Maps& maps, const Features& features, ConstBatch samples,
                   const TestOptions& test) const {
    const std::vector<int>& indices = flip_indices_of(samples);
    const Maps mirrored = outputs(features);
    maps.heat =
        (maps.heat + flip_heatmaps(mirrored.heat, indices, "heatmap", test.shift_heatmap)) * 0.5;
    const Tensor tags = tags_of_keypoints(mirrored.tags);
    std::vector<int> channels;  // of all dimensions of the tags
    for (int64_t l = 0; l < tags.size(1) / count_; ++l)
      for (int k : indices) channels.push_back(int(l * count_) + k);
    maps.tags =
        concat({maps.tags, flip_heatmaps(tags, channels, "heatmap", test.shift_heatmap)}, 1);
  }

  // {H, W} of the maps that are decoded; zeros: as they are. The reference restores the size while
  // it merges the mirror image's maps, so only with flip_test; an estimator, which knows the size
  // of its batch, has it always.
  static std::array<int, 2> restored_size(ConstBatch samples, const TestOptions& test) {
    if (!test.all.get("restore_heatmap_size", false)) return {0, 0};
    const SampleMeta& meta = samples[0].meta;
    return test.flip_test ? covered_shape(meta) : batch_shape(meta);
  }

  int64_t count_;
  bool tag_per_keypoint_;
  int64_t tag_channels_;
  HeatmapLayers layers_;
  std::unique_ptr<Loss> map_loss_, tag_loss_;
  std::unique_ptr<Codec> codec_;
};

}  // namespace

std::unique_ptr<Head> make_ae_head(const Config& config, const Scope& scope) {
  return std::make_unique<AssociativeEmbeddingHead>(config, scope);
}

}  // namespace limber
