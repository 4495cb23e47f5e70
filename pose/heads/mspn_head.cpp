#include "pose/heads/mspn_head.h"

#include "nn/blocks/conv_module.h"
#include "pose/core/layer_config.h"
#include "pose/heads/heatmap_head.h"
#include "tensor/ops.h"

namespace limber {
namespace {

// Reweighs maps by a channel and a spatial attention.
class PoseRefineMachine {
 public:
  PoseRefineMachine(const Scope& s, int64_t channels, const NormOptions& n)
      : conv_(s / "conv_bn_relu_prm_1", ConvOptions::square(channels, channels, 3), n, kRelu),
        first_(s / "middle_path" / 0, channels, channels),
        second_(s / "middle_path" / 3, channels, channels),
        first_norm_(s / "middle_path" / 1, channels),
        second_norm_(s / "middle_path" / 4, channels),
        pointwise_(s / "bottom_path" / 0, ConvOptions::square(channels, channels, 1), n, kRelu),
        spatial_(s / "bottom_path" / 1, ConvOptions::square(channels, 1, 9), n, kRelu) {}

  Tensor operator()(const Tensor& maps) const {
    const Tensor x = conv_(maps);
    Tensor channel = mean(x, {1, 2});
    channel = relu(first_norm_(first_(channel)));
    channel = sigmoid(relu(second_norm_(second_(channel))));
    const Tensor spatial = sigmoid(spatial_(pointwise_(x)));
    return x * (reshape(channel, {x.size(0), 1, 1, -1}) * spatial + 1);
  }

 private:
  static constexpr ActOptions kRelu{ActType::relu};
  ConvModule conv_;
  Linear first_, second_;
  BatchNorm first_norm_, second_norm_;
  ConvModule pointwise_;
  DepthwiseSeparableConv spatial_;
};

class MSPNHead : public Head {
 public:
  MSPNHead(const Config& c, const Scope& s)
      : stages_(c.get("num_stages", 4)),
        units_(c.get("num_units", 4)),
        losses_(c, s, size_t(stages_ * units_)),
        codec_(read_decoder(c)) {
    if (c.has("out_shape")) out_shape_ = c.get<std::array<int64_t, 2>>("out_shape");
    const auto width = c.get<int64_t>("unit_channels", 256);
    const auto K = c.get<int64_t>("out_channels", 17);
    const NormOptions norm = read_norm(c, "norm_cfg", {});
    const bool refine = c.get("use_prm", false);
    for (int i = 0; i < stages_ * units_; ++i) {
      const Scope layer = s / "predict_layers" / i, convs = layer / "conv_layers";
      Unit unit{ConvModule(convs / 0, ConvOptions::square(width, width, 1), norm, {ActType::relu}),
                ConvModule(convs / 1, ConvOptions::square(width, K, 3), norm, {ActType::none}),
                std::nullopt};
      if (refine) unit.refine.emplace(layer / "prm", K, norm);
      layers_.push_back(std::move(unit));
    }
    if (c.has("level_indices")) levels_ = c.get<std::vector<int>>("level_indices");
    check_input(levels_.empty() || levels_.size() == layers_.size(), c.path(),
                ".level_indices: ", levels_.size(), " levels for ", layers_.size(), " outputs");
    s.store().initialise_layers(s.path(), "Conv2d", "weight", init::kaiming());
    s.store().initialise_layers(s.path(), "Linear", "weight", init::normal(0, 0.01));
  }

  Outputs forward(const Features& features) const override {
    Outputs out;
    for (size_t i = 0; i < layers_.size(); ++i)
      out.emplace_back(std::to_string(i), maps(features, i));
    return out;
  }

  Losses loss(const Features& features, ConstBatch samples) const override {
    check(!levels_.empty(), "MSPNHead: level_indices says which target each output has");
    Tensor total, last;
    for (size_t i = 0; i < layers_.size(); ++i) {
      const size_t level = size_t(levels_[i]);
      last = maps(features, i);
      const Tensor one =
          losses_[i].single({.outputs = {last},
                             .targets = {batch_fields(samples, "heatmaps", level)},
                             .weight = batch_labels(samples, "keypoint_weights", level),
                             .mask = {}});
      total = total.defined() ? total + one : one;
    }
    const size_t finest = samples[0].fields.find("heatmaps")->second.size() - 1;
    return {{"loss_kpt", total},
            {"acc_pose", heatmap_accuracy(last, batch_fields(samples, "heatmaps", finest),
                                          batch_labels(samples, "keypoint_weights", finest))}};
  }

  std::vector<Prediction> predict(const Features& features, const Features* flipped,
                                  ConstBatch samples, const TestOptions& test) const override {
    const size_t last = layers_.size() - 1;
    return predict_heatmaps(codec_.get(), maps(features, last),
                            flipped ? maps(*flipped, last) : Tensor(), samples, test);
  }

  const Codec* codec() const override { return codec_.get(); }

 private:
  struct Unit {
    ConvModule conv1, conv2;
    std::optional<PoseRefineMachine> refine;
  };

  // (N, K, H, W)
  Tensor maps(const Features& features, size_t i) const {
    check(features.size() == layers_.size(), "MSPNHead: ", features.size(), " feature maps for ",
          stages_, " stages of ", units_, " units");
    const Unit& unit = layers_[i];
    const Tensor y = resize(unit.conv2(unit.conv1(features[i])), out_shape_[0], out_shape_[1],
                            Interpolation::bilinear, /*align_corners=*/true);
    return maps_first(unit.refine ? (*unit.refine)(y) : y);
  }

  int stages_, units_;
  StageLosses losses_;
  std::unique_ptr<Codec> codec_;
  std::array<int64_t, 2> out_shape_{64, 48};  // height, width
  std::vector<Unit> layers_;
  std::vector<int> levels_;  // the target of each output
};

}  // namespace

std::unique_ptr<Head> make_mspn_head(const Config& config, const Scope& scope) {
  return std::make_unique<MSPNHead>(config, scope);
}

}  // namespace limber
