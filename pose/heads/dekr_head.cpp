#include "pose/heads/dekr_head.h"

#include <cmath>

#include "pose/backbones/residual.h"
#include "pose/core/nms.h"
#include "pose/heads/dekr_layers.h"
#include "pose/heads/flip.h"
#include "pose/heads/heatmap_layers.h"
#include "pose/heads/instance_maps.h"
#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {
namespace {

constexpr char kHeatLoss[] = R"({"type": "KeypointMSELoss", "use_target_weight": true})";
constexpr char kDisplacementLoss[] =
    R"({"type": "SoftWeightSmoothL1Loss", "use_target_weight": true, "supervise_empty": false})";

class DEKRHead : public Head {
 public:
  DEKRHead(const Config& c, const Scope& s)
      : count_(c.get<int>("num_keypoints")),
        heat_(c, s / "heatmap_conv_layers", count_ + 1),
        displacement_(c, s / "displacement_conv_layers", count_),
        heat_loss_(named_loss(c, s, "heatmap_loss", kHeatLoss)),
        displacement_loss_(named_loss(c, s, "displacement_loss", kDisplacementLoss)) {
    if (c.has("decoder")) codec_ = make_codec(c.at("decoder"));
    if (const Config rescore = c.find("rescore_cfg"); !rescore.is_null()) {
      rescore_.emplace(s / "rescore_net", rescore.get<int64_t>("in_channels"),
                       rescore.get<std::array<int, 2>>("norm_indexes"));
      rescore.find("init_cfg").ignore();
      rescore.expect_all_read();
    }
    initialise_head_convolutions(s);
  }

  Outputs forward(const Features& features) const override {
    const Maps maps = outputs(features);
    return {{"0", maps.heat}, {"1", maps.displacements}};
  }

  Losses loss(const Features& features, ConstBatch samples) const override {
    const Maps maps = outputs(features);
    return {{"loss/heatmap", heat_loss_->single({.outputs = {maps.heat},
                                                 .targets = {batch_fields(samples, "heatmaps")},
                                                 .weight = batch_fields(samples, "heatmap_weights"),
                                                 .mask = batch_heatmap_mask(samples)})},
            {"loss/displacement",
             displacement_loss_->single({.outputs = {maps.displacements},
                                         .targets = {batch_fields(samples, "displacements")},
                                         .weight = batch_fields(samples, "displacement_weights"),
                                         .mask = {}})}};
  }

  std::vector<Prediction> predict(const Features& features, const Features* flipped,
                                  ConstBatch samples, const TestOptions& test) const override {
    check(codec_ != nullptr, "the head has no decoder: set model.head.decoder");
    Maps maps = outputs(features);
    if (flipped != nullptr) add_flipped(maps, outputs(*flipped), samples, test);
    const Tensor heat = maps.heat.to(DType::f32).to(Device{});
    const Tensor displacements = maps.displacements.to(DType::f32).to(Device{});
    const DeviceScope on_host({});
    std::vector<Prediction> predictions;
    for (size_t i = 0; i < samples.size(); ++i) {
      const Tensor parts[] = {sample_of(heat, i), sample_of(displacements, i)};
      predictions.push_back(decode(parts, samples[i].meta, test));
      if (test.output_heatmaps)
        predictions.back().fields = {{"heatmaps", {parts[0]}}, {"displacements", {parts[1]}}};
    }
    return predictions;
  }

  const Codec* codec() const override { return codec_.get(); }

 private:
  struct Maps {
    Tensor heat, displacements;
  };

  struct HeatLayers {
    ConvModule reduce;
    std::unique_ptr<ResidualBlock> block;
    Conv2d last;
    HeatLayers(const Config& c, const Scope& s, int64_t out) {
      const auto width = c.get<int64_t>("num_heatmap_filters", 32);
      reduce = ConvModule(s / 0, {.in = c.get<int64_t>("in_channels"), .out = width}, {},
                          {ActType::relu});
      BlockOptions o;
      o.in = o.out = width;
      o.expansion = 1;
      block = basic_block(s / 1, o);
      last = Conv2d(s / 2, {.in = width, .out = out});
    }
    Tensor operator()(const Tensor& x) const { return last((*block)(reduce(x))); }
  };

  struct DisplacementLayers {
    ConvModule reduce;
    AdaptiveActivation first, second;
    Conv2d last;
    DisplacementLayers(const Config& c, const Scope& s, int count)
        : DisplacementLayers(s, c.get<int64_t>("in_channels"),
                             count * c.get<int64_t>("num_displacement_filters_per_keypoint", 15),
                             count) {}
    DisplacementLayers(const Scope& s, int64_t in, int64_t width, int count)
        : reduce(s / 0, {.in = in, .out = width}, {}, {ActType::relu}),
          first(s / 1, width, count),
          second(s / 2, width, count),
          last(s / 3, {.in = width, .out = 2 * count, .groups = count}) {}
    Tensor operator()(const Tensor& x) const { return last(second(first(reduce(x)))); }
  };

  Maps outputs(const Features& features) const {
    return {maps_first(heat_(features.back())), maps_first(displacement_(features.back()))};
  }

  void add_flipped(Maps& maps, const Maps& mirrored, ConstBatch samples,
                   const TestOptions& test) const {
    std::vector<int> indices = flip_indices_of(samples);
    Tensor d = flip_heatmaps(mirrored.displacements, indices, "offset", /*shift=*/false);
    indices.push_back(count_);  // the centres
    maps.heat =
        (maps.heat + flip_heatmaps(mirrored.heat, indices, "heatmap", test.shift_heatmap)) * 0.5;
    // Mirroring pixels of a map that is `stride` times smaller moves them by (stride - 1) / stride.
    const double stride = double(covered_shape(samples[0].meta)[1]) / double(maps.heat.size(3));
    std::vector<float> shift(size_t(d.size(1)));
    for (size_t k = 0; k < shift.size(); k += 2) shift[k] = float((stride - 1) / stride);
    maps.displacements =
        (maps.displacements + d + Tensor::from(shift, {1, d.size(1), 1, 1}).to(d.dtype())) * 0.5;
  }

  Prediction decode(std::span<const Tensor> maps, const SampleMeta& meta,
                    const TestOptions& test) const {
    const Decoded found = codec_->decode(maps);
    check(found.scores.defined(), "DEKRHead: the decoder must generate_keypoint_heatmaps");
    const int64_t M = found.keypoints.size(0), K = found.keypoints.size(1);
    std::vector<float> root(found.instance_scores.data<float>(),
                            found.instance_scores.data<float>() + M);
    const auto skeleton = meta.more.find("skeleton_links");
    if (rescore_ && skeleton != meta.more.end() && M > 0) {
      const Tensor factor = (*rescore_)(found.keypoints, found.scores, skeleton->second.at(0))
                                .to(DType::f32)
                                .to(Device{});
      for (int64_t m = 0; m < M; ++m) {
        const float f = factor.data<float>()[m];
        root[size_t(m)] *= std::isnan(f) ? 0 : f;
      }
    }
    std::vector<int64_t> kept;
    for (int m : suppress(found, test)) kept.push_back(m);
    Prediction p;
    const Tensor rows = Tensor::from(kept, {int64_t(kept.size())});
    p.instances.keypoints = index_select(found.keypoints, 0, rows);
    p.instances.keypoint_scores = index_select(found.scores, 0, rows);
    for (size_t i = 0; i < kept.size(); ++i)
      for (int64_t k = 0; k < K; ++k)
        p.instances.keypoint_scores.data<float>()[int64_t(i) * K + k] *= root[size_t(kept[i])];
    return p;
  }

  // Which poses stay. Poses compete by the mean of their key points' scores.
  static std::vector<int> suppress(const Decoded& found, const TestOptions& test) {
    const int64_t M = found.keypoints.size(0), K = found.keypoints.size(1);
    NearbyJointsOptions o;
    o.distance_share = test.all.get("nms_dist_thr", 0.0);
    o.min_near = test.all.get("nms_joints_thr", -1);
    o.max_dets = test.all.get("max_dets", 30);
    std::vector<int> all;
    std::vector<double> scores;
    for (int64_t m = 0; m < M; ++m) {
      double total = 0;
      for (int64_t k = 0; k < K; ++k) total += found.scores.data<float>()[m * K + k];
      scores.push_back(total / double(K));
      all.push_back(int(m));
    }
    if (M == 0 || o.distance_share <= 0) return all;
    const std::vector<double> points(found.keypoints.data<float>(),
                                     found.keypoints.data<float>() + M * K * 2);
    return nearby_joints_nms(points, scores, K, o);
  }

  int count_;
  HeatLayers heat_;
  DisplacementLayers displacement_;
  std::unique_ptr<Loss> heat_loss_, displacement_loss_;
  std::unique_ptr<Codec> codec_;
  std::optional<RescoreNet> rescore_;
};

}  // namespace

std::unique_ptr<Head> make_dekr_head(const Config& config, const Scope& scope) {
  return std::make_unique<DEKRHead>(config, scope);
}

}  // namespace limber
