#include "pose/heads/regression_head.h"

#include "nn/layers.h"
#include "pose/core/accuracy.h"
#include "pose/heads/flip.h"
#include "pose/heads/heatmap_head.h"
#include "tensor/capture.h"
#include "tensor/op.h"

namespace limber {

Tensor flat_features(const Tensor& x) {
  return x.rank() == 4 ? reshape(maps_first(x), {x.size(0), -1}) : x;
}

Tensor coordinate_accuracy(const Tensor& coords, const Tensor& target, const Tensor& weight) {
  return host_number({coords, target, weight}, [](std::span<const Tensor> in) {
    return coordinate_pck_accuracy(in[0], in[1], in[2]);
  });
}

namespace {

class RegressionHead : public Head {
 public:
  RegressionHead(const Config& c, const Scope& s)
      : points_(c.get<int64_t>("num_joints")),
        fc_(s / "fc", c.get<int64_t>("in_channels"), 2 * points_),
        loss_(read_loss(c, s, "SmoothL1Loss")),
        codec_(read_decoder(c)) {
    s.store().initialise_layers((s / "fc").path(), "Linear", "weight", init::normal(0, 0.01));
    s.store().initialise_layers((s / "fc").path(), "Linear", "bias", init::constant(0));
  }

  Outputs forward(const Features& features) const override { return {{"", coords(features)}}; }

  Losses loss(const Features& features, ConstBatch samples) const override {
    const Tensor found = coords(features), target = batch_labels(samples, "keypoint_labels");
    const Tensor weight = batch_labels(samples, "keypoint_weights");
    const Tensor value =
        loss_->single({.outputs = {found}, .targets = {target}, .weight = weight, .mask = {}});
    return {{"loss_kpt", value}, {"acc_pose", coordinate_accuracy(found, target, weight)}};
  }

  std::vector<Prediction> predict(const Features& features, const Features* flipped,
                                  ConstBatch samples, const TestOptions& test) const override {
    Tensor found = coords(features);
    if (flipped != nullptr)
      found = (found + flip_coordinates(coords(*flipped), flip_indices_of(samples),
                                        test.shift_coords, samples[0].meta.input_size[0])) *
              0.5;
    return decode_batch(codec_.get(), std::span(&found, 1));
  }

  const Codec* codec() const override { return codec_.get(); }

 private:
  // (N, K, 2)
  Tensor coords(const Features& features) const {
    return reshape(fc_(flat_features(features.back())), {-1, points_, 2});
  }

  int64_t points_;
  Linear fc_;
  std::unique_ptr<Loss> loss_;
  std::unique_ptr<Codec> codec_;
};

}  // namespace

std::unique_ptr<Head> make_regression_head(const Config& config, const Scope& scope) {
  return std::make_unique<RegressionHead>(config, scope);
}

}  // namespace limber
