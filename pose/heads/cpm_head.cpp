#include "pose/heads/cpm_head.h"

#include "pose/heads/heatmap_head.h"
#include "tensor/ops.h"

namespace limber {
namespace {

class CPMHead : public Head {
 public:
  CPMHead(const Config& c, const Scope& s)
      : losses_(c, s, size_t(c.get<int>("num_stages"))), codec_(read_decoder(c)) {
    const auto stages = c.get<int>("num_stages");
    const auto in = c.get<int64_t>("in_channels"), K = c.get<int64_t>("out_channels");
    const DeconvLayers::Options deconv{.in = in,
                                       .widths = list_or(c, "deconv_out_channels", {}),
                                       .kernels = list_or(c, "deconv_kernel_sizes", {}),
                                       .groups = {}};
    const int64_t width = deconv.widths.empty() ? in : deconv.widths.back();
    for (int i = 0; i < stages; ++i) {
      stages_.push_back({DeconvLayers(s / "multi_deconv_layers" / i, deconv, c.path()),
                         read_final_layer(c, s / "multi_final_layers" / i, width, K)});
    }
    initialise_head_convolutions(s);
  }

  Outputs forward(const Features& features) const override {
    const std::vector<Tensor> maps = all_maps(features);
    Outputs out;
    for (size_t i = 0; i < maps.size(); ++i) out.emplace_back(std::to_string(i), maps[i]);
    return out;
  }

  Losses loss(const Features& features, ConstBatch samples) const override {
    const std::vector<Tensor> maps = all_maps(features);
    const Tensor target = batch_fields(samples, "heatmaps");
    const Tensor weight = batch_labels(samples, "keypoint_weights");
    Tensor total;
    for (size_t i = 0; i < maps.size(); ++i) {
      const Tensor one = losses_[i].single(
          {.outputs = {maps[i]}, .targets = {target}, .weight = weight, .mask = {}});
      total = total.defined() ? total + one : one;
    }
    Losses losses{{"loss_kpt", total}};
    if (train.compute_acc)
      losses.emplace_back("acc_pose", heatmap_accuracy(maps.back(), target, weight));
    return losses;
  }

  std::vector<Prediction> predict(const Features& features, const Features* flipped,
                                  ConstBatch samples, const TestOptions& test) const override {
    return predict_heatmaps(codec_.get(), last_maps(features),
                            flipped ? last_maps(*flipped) : Tensor(), samples, test);
  }

  const Codec* codec() const override { return codec_.get(); }

 private:
  struct Stage {
    DeconvLayers deconv;
    std::optional<Conv2d> final;
  };

  Tensor maps_of(size_t stage, const Tensor& x) const {
    const Tensor y = stages_[stage].deconv(x);
    return maps_first(stages_[stage].final ? (*stages_[stage].final)(y) : y);
  }

  void check_count(const Features& features) const {
    check(features.size() == stages_.size(), "CPMHead: ", features.size(), " feature maps for ",
          stages_.size(), " stages");
  }

  std::vector<Tensor> all_maps(const Features& features) const {
    check_count(features);
    std::vector<Tensor> maps;
    for (size_t i = 0; i < stages_.size(); ++i) maps.push_back(maps_of(i, features[i]));
    return maps;
  }

  Tensor last_maps(const Features& features) const {
    check_count(features);
    return maps_of(stages_.size() - 1, features.back());
  }

  StageLosses losses_;
  std::unique_ptr<Codec> codec_;
  std::vector<Stage> stages_;
};

}  // namespace

std::unique_ptr<Head> make_cpm_head(const Config& config, const Scope& scope) {
  return std::make_unique<CPMHead>(config, scope);
}

}  // namespace limber
