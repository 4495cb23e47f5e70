#include "pose/heads/heatmap_head.h"

#include "pose/core/accuracy.h"
#include "pose/heads/flip.h"
#include "tensor/capture.h"
#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {

std::unique_ptr<Loss> read_loss(const Config& head, const Scope& s, std::string_view default_loss) {
  Config config = head.find("loss");
  if (config.is_null()) {
    config = Config::object();
    config.set("type", Config::value(default_loss));
    config.set("use_target_weight", Config::value(true));
  }
  return make_loss(config, s / "loss_module");
}

std::unique_ptr<Codec> read_decoder(const Config& head) {
  const Config config = head.find("decoder");
  return config.is_null() ? nullptr : make_codec(config);
}

StageLosses::StageLosses(const Config& head, const Scope& s, size_t count) {
  const Config list = head.find("loss");
  if (!list.is_list()) {
    losses_.push_back(read_loss(head, s, "KeypointMSELoss"));
    return;
  }
  check_input(list.size() == count, list.path(), ": ", list.size(), " losses for ", count,
              " outputs");
  for (size_t i = 0; i < count; ++i)
    losses_.push_back(make_loss(list.at(i), s / "loss_module" / int(i)));
}

std::vector<Prediction> predict_heatmaps(const Codec* codec, const Tensor& maps,
                                         const Tensor& maps_of_flipped, ConstBatch samples,
                                         const TestOptions& test) {
  Tensor heat = maps;
  if (maps_of_flipped.defined())
    heat = (heat + flip_heatmaps(maps_of_flipped, flip_indices_of(samples), test.flip_mode,
                                 test.shift_heatmap)) *
           0.5;
  heat = heat.to(Device{});
  std::vector<Prediction> predictions = decode_batch(codec, std::span(&heat, 1));
  if (test.output_heatmaps)
    for (size_t i = 0; i < predictions.size(); ++i)
      predictions[i].fields["heatmaps"] = {sample_of(heat, i)};
  return predictions;
}

Tensor heatmap_accuracy(const Tensor& maps, const Tensor& target, const Tensor& weight) {
  return host_number({maps, target, weight}, [](std::span<const Tensor> in) {
    return pose_pck_accuracy(in[0], in[1], in[2]);
  });
}

HeatmapHead::HeatmapHead(const Config& c, const Scope& s, DeconvKind kind)
    : layers_(c, s, c.get<int64_t>("out_channels"), kind),
      loss_(read_loss(c, s, "KeypointMSELoss")),
      codec_(read_decoder(c)) {}

Tensor HeatmapHead::maps(const Features& features) const {
  return maps_first(layers_(features.back()));
}

Outputs HeatmapHead::forward(const Features& features) const { return {{"", maps(features)}}; }

Losses HeatmapHead::loss(const Features& features, ConstBatch samples) const {
  const Tensor predicted = maps(features), target = batch_fields(samples, "heatmaps");
  const Tensor weight = batch_labels(samples, "keypoint_weights");
  Losses losses{
      {"loss_kpt",
       loss_->single({.outputs = {predicted}, .targets = {target}, .weight = weight, .mask = {}})}};
  if (train.compute_acc)
    losses.emplace_back("acc_pose", heatmap_accuracy(predicted, target, weight));
  return losses;
}

std::vector<Prediction> HeatmapHead::predict(const Features& features, const Features* flipped,
                                             ConstBatch samples, const TestOptions& test) const {
  return predict_heatmaps(codec_.get(), maps(features), flipped ? maps(*flipped) : Tensor(),
                          samples, test);
}

std::unique_ptr<Head> make_heatmap_head(const Config& config, const Scope& scope) {
  return std::make_unique<HeatmapHead>(config, scope, DeconvKind::plain);
}

std::unique_ptr<Head> make_vipnas_head(const Config& config, const Scope& scope) {
  return std::make_unique<HeatmapHead>(config, scope, DeconvKind::vipnas);
}

}  // namespace limber
