#include "pose/heads/internet_head.h"

#include <numeric>

#include "pose/core/keypoint_metrics.h"
#include "pose/heads/flip.h"
#include "pose/heads/heatmap_head.h"
#include "tensor/capture.h"
#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {
namespace {

// (N, H, W, K D) -> (N, K, D, H, W).
class VolumeHead {
 public:
  VolumeHead(const Config& c, const Scope& s)
      : depth_(c.get<int64_t>("depth_size", 64)), layers_(c, s, c.get<int64_t>("out_channels")) {
    check_input(depth_ > 0 && c.get<int64_t>("out_channels") % depth_ == 0, c.path(), ": ",
                c.get<int64_t>("out_channels"), " out_channels are no volumes of depth ", depth_);
  }
  Tensor operator()(const Tensor& x) const {
    const Tensor maps = maps_first(layers_(x));
    return reshape(maps, {maps.size(0), maps.size(1) / depth_, depth_, maps.size(2), maps.size(3)});
  }

 private:
  int64_t depth_;
  HeatmapLayers layers_;
};

// Linear layers with ReLU between them. Parameters: fc.0, fc.2, ...
class LinearLayers {
 public:
  LinearLayers(const Config& c, const Scope& s, int64_t out) {
    int64_t width = c.get<int64_t>("in_channels", 2048);
    std::vector<int64_t> widths = c.get<std::vector<int64_t>>("hidden_dims", {512});
    widths.push_back(out);
    for (size_t i = 0; i < widths.size(); ++i) {
      layers_.emplace_back(s / "fc" / int(2 * i), width, widths[i]);
      width = widths[i];
    }
    s.store().initialise_layers(s.path(), "Linear", "weight", init::normal(0, 0.01));
    s.store().initialise_layers(s.path(), "Linear", "bias", init::constant(0));
  }
  Tensor operator()(const Tensor& x) const {
    Tensor y = layers_[0](x);
    for (size_t i = 1; i < layers_.size(); ++i) y = layers_[i](relu(y));
    return y;
  }

 private:
  std::vector<Linear> layers_;
};

// The expected bin of a softmax over bins: (N, B) -> (N, 1).
Tensor expected_bin(const Tensor& logits) {
  std::vector<float> bins(size_t(logits.size(1)));
  std::iota(bins.begin(), bins.end(), 0.f);
  const Tensor all = Tensor::from(bins, {logits.size(1)}).to(logits.dtype());
  return sum(softmax(logits) * all, {1}, true);
}

class InternetHead : public Head {
 public:
  InternetHead(const Config& c, const Scope& s)
      : right_(c.at("keypoint_head_cfg"), s / "right_hand_head"),
        left_(c.at("keypoint_head_cfg"), s / "left_hand_head"),
        root_(c.at("root_head_cfg"), s / "root_head",
              c.at("root_head_cfg").get<int64_t>("heatmap_size", 64)),
        type_(c.at("hand_type_head_cfg"), s / "hand_type_head",
              c.at("hand_type_head_cfg").get<int64_t>("num_labels", 2)),
        loss_(read_loss(c, s, "KeypointMSELoss")),
        root_loss_(read_part_loss(c, s, "loss_root_depth", "root_loss_module", "L1Loss")),
        type_loss_(read_part_loss(c, s, "loss_hand_type", "hand_loss_module", "BCELoss")),
        codec_(read_decoder(c)) {
    for (const char* key : {"keypoint_head_cfg", "root_head_cfg", "hand_type_head_cfg"})
      c.at(key).expect_all_read();
  }

  Outputs forward(const Features& features) const override {
    const Found f = find(features);
    return {{"0", f.maps}, {"1", f.root}, {"2", f.type}};
  }

  Losses loss(const Features& features, ConstBatch samples) const override;
  std::vector<Prediction> predict(const Features& features, const Features* flipped,
                                  ConstBatch samples, const TestOptions& test) const override;
  const Codec* codec() const override { return codec_.get(); }

 private:
  struct Found {
    Tensor maps;  // (N, K, D, H, W)
    Tensor root;  // (N, 1), bins
    Tensor type;  // (N, 2), logits: right, left
  };
  Found find(const Features& features) const;
  static std::unique_ptr<Loss> read_part_loss(const Config& c, const Scope& s, const char* key,
                                              const char* scope, const char* fallback);

  VolumeHead right_, left_;
  LinearLayers root_, type_;
  std::unique_ptr<Loss> loss_, root_loss_, type_loss_;
  std::unique_ptr<Codec> codec_;
};

std::unique_ptr<Loss> InternetHead::read_part_loss(const Config& c, const Scope& s, const char* key,
                                                   const char* scope, const char* fallback) {
  Config config = c.find(key);
  if (config.is_null()) {
    config = Config::object();
    config.set("type", Config::value(fallback));
    config.set("use_target_weight", Config::value(true));
  }
  return make_loss(config, s / scope);
}

InternetHead::Found InternetHead::find(const Features& features) const {
  const Tensor& x = features.back();
  const Tensor pooled = mean(x, {1, 2});
  return {concat({right_(x), left_(x)}, 1), expected_bin(root_(pooled)), type_(pooled)};
}

// (N, K, D, H, W) -> (N, K, D H, W): as if volumes were maps.
Tensor as_maps(const Tensor& volumes) {
  return reshape(volumes, {volumes.size(0), volumes.size(1), -1, volumes.size(4)});
}

Losses InternetHead::loss(const Features& features, ConstBatch samples) const {
  const Found f = find(features);
  const auto one = [](const Loss& loss, const Tensor& found, const Tensor& target,
                      const Tensor& weight) {
    return loss.single({.outputs = {found}, .targets = {target}, .weight = weight, .mask = {}});
  };
  const Tensor maps = as_maps(f.maps);
  const Tensor target = reshape(batch_fields(samples, "heatmaps"), maps.shape());
  const Tensor root = reshape(batch_labels(samples, "root_depth"), f.root.shape());
  const Tensor root_weight = reshape(batch_labels(samples, "root_depth_weight"), f.root.shape());
  const Tensor type = reshape(batch_labels(samples, "type"), f.type.shape());
  const Tensor type_weight = reshape(batch_labels(samples, "type_weight"), {f.type.size(0), -1});
  Losses losses{{"loss_kpt", one(*loss_, maps, target, batch_labels(samples, "keypoint_weights"))},
                {"loss_rel_root", one(*root_loss_, f.root, root, root_weight)},
                {"loss_hand_type", one(*type_loss_, f.type, type, type_weight)}};
  if (train.compute_acc) {
    const auto accuracy = [](std::span<const Tensor> in) {
      std::vector<uint8_t> mask;
      for (double w : to_doubles(expand(in[2], in[0].shape()))) mask.push_back(w > 0);
      return multilabel_accuracy(to_doubles(in[0]), to_doubles(in[1]), mask, 2);
    };
    losses.emplace_back("acc_pose", host_number({f.type, type, type_weight}, accuracy));
  }
  return losses;
}

std::vector<Prediction> InternetHead::predict(const Features& features, const Features* flipped,
                                              ConstBatch samples, const TestOptions& test) const {
  Found f = find(features);
  if (flipped != nullptr) {
    const Found g = find(*flipped);
    const Tensor maps = as_maps(f.maps);
    const Tensor mirrored =
        flip_heatmaps(as_maps(g.maps), flip_indices_of(samples), "heatmap", test.shift_heatmap);
    f.maps = reshape((maps + mirrored) * 0.5, f.maps.shape());
    f.root = (f.root - g.root) * 0.5;
    // The reference averages with its own unflipped logits, swapped; so do these numbers.
    f.type = (f.type + flip(f.type, 1)) * 0.5;
  }
  const Tensor parts[] = {f.maps, f.root, reshape(f.type, {f.type.size(0), 1, f.type.size(1)})};
  std::vector<Prediction> predictions = decode_batch(codec_.get(), parts);
  if (test.output_heatmaps)
    for (size_t i = 0; i < predictions.size(); ++i)
      predictions[i].fields["heatmaps"] = {sample_of(as_maps(f.maps), i)};
  return predictions;
}

}  // namespace

std::unique_ptr<Head> make_internet_head(const Config& config, const Scope& scope) {
  return std::make_unique<InternetHead>(config, scope);
}

}  // namespace limber
