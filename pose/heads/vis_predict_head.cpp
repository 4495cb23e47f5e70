#include "pose/heads/vis_predict_head.h"

#include "nn/layers.h"
#include "pose/heads/flip.h"
#include "pose/losses/loss.h"
#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {
namespace {

std::unique_ptr<Loss> read_visibility_loss(const Config& c, const Scope& s) {
  if (c.has("loss")) return make_loss(c.at("loss"), s / "loss_module");
  return make_loss(Config::parse(R"({"type": "BCELoss", "use_sigmoid": true})"), s / "loss_module");
}

int64_t keypoints_of(const Config& pose) {
  if (pose.has("num_joints")) return pose.get<int64_t>("num_joints");
  check_input(pose.has("out_channels"), pose.path(), ": num_joints or out_channels expected");
  return pose.get<int64_t>("out_channels");
}

class VisPredictHead : public Head {
 public:
  VisPredictHead(const Config& c, const Scope& s)
      : loss_(read_visibility_loss(c, s)),
        pose_(make_head(c.at("pose_cfg"), s / "pose_head")),
        linear_(s / "vis_head" / 2, c.at("pose_cfg").get<int64_t>("in_channels"),
                keypoints_of(c.at("pose_cfg"))) {
    const Config loss = c.find("loss");
    probabilities_ = loss.is_null() || loss.get("use_sigmoid", false);
    weighted_ = !loss.is_null() && loss.get("use_target_weight", false);
    const std::string path = (s / "vis_head").path();
    s.store().initialise_layers(path, "Linear", "weight", init::normal(0, 0.01));
    s.store().initialise_layers(path, "Linear", "bias", init::constant(0));
  }

  Outputs forward(const Features& features) const override {
    Outputs out;
    for (const auto& [name, value] : pose_->forward(features))
      out.emplace_back(name.empty() ? "0" : "0/" + name, value);
    out.emplace_back("1", visibility(features));
    return out;
  }

  Losses loss(const Features& features, ConstBatch samples) const override {
    const Tensor found = visibility(features);
    const Tensor target = batch_labels(samples, "keypoint_weights");
    const bool given = samples[0].labels.contains("keypoints_visible_weights");
    const Tensor weight = !weighted_ ? Tensor()
                          : given    ? batch_labels(samples, "keypoints_visible_weights")
                                     : Tensor::full(target.shape(), 1, target.dtype());
    Losses losses{
        {"loss_vis",
         loss_->single({.outputs = {found}, .targets = {target}, .weight = weight, .mask = {}})},
        {"acc_vis", accuracy(found, target)}};
    pose_->train = train;
    pose_->train.compute_acc = true;
    for (auto& named : pose_->loss(features, samples)) losses.push_back(std::move(named));
    return losses;
  }

  std::vector<Prediction> predict(const Features& features, const Features* flipped,
                                  ConstBatch samples, const TestOptions& test) const override {
    Tensor found = visibility(features);
    if (flipped != nullptr)
      found = (found + flip_keypoints(visibility(*flipped), flip_indices_of(samples))) * 0.5;
    if (!probabilities_) found = sigmoid(found);
    std::vector<Prediction> predictions = pose_->predict(features, flipped, samples, test);
    for (size_t i = 0; i < predictions.size(); ++i)
      predictions[i].instances.keypoints_visible =
          sample_of(reshape(found, {found.size(0), 1, found.size(1)}), i);
    return predictions;
  }

  const Codec* codec() const override { return pose_->codec(); }
  void set_option(const std::string& path, const Config& value) override {
    pose_->set_option(path, value);
  }

 private:
  // (N, K): probabilities where the loss wants those, else logits.
  Tensor visibility(const Features& features) const {
    const Tensor& x = features.back();
    const Tensor y = linear_(x.rank() == 4 ? mean(x, {1, 2}) : x);
    return probabilities_ ? sigmoid(y) : y;
  }

  // The share of points whose visibility is on the right side of one half.
  Tensor accuracy(const Tensor& found, const Tensor& target) const {
    const NoRecord no_record;
    const Tensor visible = is_positive(probabilities_ ? found - 0.5 : found);
    return mean(equal(visible, target));
  }

  std::unique_ptr<Loss> loss_;
  std::unique_ptr<Head> pose_;
  Linear linear_;
  bool probabilities_, weighted_;
};

}  // namespace

std::unique_ptr<Head> make_vis_predict_head(const Config& config, const Scope& scope) {
  return std::make_unique<VisPredictHead>(config, scope);
}

}  // namespace limber
