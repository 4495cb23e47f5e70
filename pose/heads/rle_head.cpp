#include "pose/heads/rle_head.h"

#include "nn/layers.h"
#include "pose/heads/flip.h"
#include "pose/heads/heatmap_head.h"
#include "pose/heads/regression_head.h"

namespace limber {
namespace {

class RLEHead : public Head {
 public:
  RLEHead(const Config& c, const Scope& s)
      : points_(c.get<int64_t>("num_joints")),
        fc_(s / "fc", c.get<int64_t>("in_channels"), 4 * points_),
        loss_(read_loss(c, s, "RLELoss")),
        codec_(read_decoder(c)) {
    s.store().initialise_layers((s / "fc").path(), "Linear", "weight", init::normal(0, 0.01));
    s.store().initialise_layers((s / "fc").path(), "Linear", "bias", init::constant(0));
  }

  Outputs forward(const Features& features) const override { return {{"", raw(features)}}; }

  Losses loss(const Features& features, ConstBatch samples) const override {
    const Tensor both = raw(features);
    const Tensor coords = slice(both, 2, 0, 2), deviations = slice(both, 2, 2, 4);
    const Tensor target = batch_labels(samples, "keypoint_labels");
    const Tensor weight = batch_labels(samples, "keypoint_weights");
    const Tensor value = loss_->single(
        {.outputs = {coords, deviations}, .targets = {target}, .weight = weight, .mask = {}});
    return {{"loss_kpt", value}, {"acc_pose", coordinate_accuracy(coords, target, weight)}};
  }

  std::vector<Prediction> predict(const Features& features, const Features* flipped,
                                  ConstBatch samples, const TestOptions& test) const override {
    Tensor found = estimates(features);
    if (flipped != nullptr)
      found = (found + flip_coordinates(estimates(*flipped), flip_indices_of(samples),
                                        test.shift_coords, samples[0].meta.input_size[0])) *
              0.5;
    return decode_batch(codec_.get(), std::span(&found, 1));
  }

  const Codec* codec() const override { return codec_.get(); }

 private:
  // (N, K, 4): x, y, and the logits of their deviations.
  Tensor raw(const Features& features) const {
    return reshape(fc_(flat_features(features.back())), {-1, points_, 4});
  }

  // The same with deviations in (0, 1).
  Tensor estimates(const Features& features) const {
    const Tensor both = raw(features);
    return concat({slice(both, 2, 0, 2), sigmoid(slice(both, 2, 2, 4))}, 2);
  }

  int64_t points_;
  Linear fc_;
  std::unique_ptr<Loss> loss_;
  std::unique_ptr<Codec> codec_;
};

}  // namespace

std::unique_ptr<Head> make_rle_head(const Config& config, const Scope& scope) {
  return std::make_unique<RLEHead>(config, scope);
}

}  // namespace limber
