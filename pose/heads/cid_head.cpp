#include "pose/heads/cid_head.h"

#include <cmath>

#include "pose/codecs/instance_ops.h"
#include "pose/heads/cid_layers.h"
#include "pose/heads/flip.h"
#include "pose/heads/heatmap_layers.h"
#include "pose/heads/instance_maps.h"
#include "tensor/op.h"
#include "tensor/ops.h"
#include "tensor/random.h"

namespace limber {
namespace {

constexpr char kFocal[] = R"({"type": "FocalHeatmapLoss"})";
constexpr char kContrast[] = R"({"type": "InfoNCELoss"})";

// `count` of n rows, each set equally likely.
std::vector<int64_t> draw_rows(int64_t n, int64_t count) {
  std::vector<int64_t> rows(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) rows[size_t(i)] = i;
  for (int64_t i = 0; i < count; ++i)
    std::swap(rows[size_t(i)], rows[size_t(op_random().integer(i, n))]);
  rows.resize(size_t(count));
  return rows;
}

class CIDHead : public Head {
 public:
  CIDHead(const Config& c, const Scope& s)
      : count_(c.get<int64_t>("num_keypoints")),
        roots_(s / "iia_module" / "keypoint_root_conv",
               {.in = c.get<int64_t>("in_channels"), .out = count_ + 1}),
        decouple_(s / "gfd_module", c.get<int64_t>("in_channels"), c.get<int64_t>("gfd_channels"),
                  count_),
        coupled_loss_(named_loss(c, s, "coupled_heatmap_loss", kFocal)),
        decoupled_loss_(named_loss(c, s, "decoupled_heatmap_loss", kFocal)),
        contrastive_loss_(named_loss(c, s, "contrastive_loss", kContrast)) {
    if (c.has("decoder")) codec_ = make_codec(c.at("decoder"));
    const double prior = c.get("prior_prob", 0.01);
    check_input(prior > 0 && prior < 1, c.path(), ".prior_prob: between 0 and 1, not ", prior);
    initialise_head_convolutions(s);
    s.store().initialise_layers(s.path(), "Linear", "weight", init::normal(0, 0.001));
    s.store().initialise_layers(s.path(), "Linear", "bias", init::constant(0));
    // Maps start at the share of pixels that are key points.
    for (const char* layer : {"iia_module.keypoint_root_conv", "gfd_module.heatmap_conv"})
      s.store().initialise((s / layer).path() + ".bias",
                           init::constant(-std::log((1 - prior) / prior)));
  }

  Outputs forward(const Features& features) const override {
    const Tensor& x = features.back();
    const Centres centres = find_centres(root_maps(x), {}).centres;
    return {{"", decouple_(x, features_at(x, centres), centres)}};
  }

  Losses loss(const Features& features, ConstBatch samples) const override {
    const Tensor& x = features.back();
    Centres centres = given_centres(samples);
    Tensor people = features_at(x, centres);
    const Tensor contrast = contrast_of(people, samples);
    Tensor target = batch_labels_of_maps(samples);
    Tensor weight = batch_labels(samples, "keypoint_weights");
    const int64_t limit = train.max_train_instances;
    if (limit > 0 && centres.size() > limit)
      keep_rows(draw_rows(centres.size(), limit), centres, people, target, weight);
    Losses losses{{"loss/heatmap_coupled",
                   coupled_loss_->single({.outputs = {maps_first(bounded_sigmoid(roots_(x)))},
                                          .targets = {batch_fields(samples, "heatmaps")},
                                          .weight = {},
                                          .mask = batch_heatmap_mask(samples)})}};
    if (centres.size() == 0) return losses;
    losses.emplace_back("loss/heatmap_decoupled",
                        decoupled_loss_->single({.outputs = {decouple_(x, people, centres)},
                                                 .targets = {target},
                                                 .weight = weight,
                                                 .mask = {}}));
    losses.emplace_back("loss/contrastive", contrast);
    return losses;
  }

  std::vector<Prediction> predict(const Features& features, const Features* flipped,
                                  ConstBatch samples, const TestOptions& test) const override {
    check(codec_ != nullptr, "the head has no decoder: set model.head.decoder");
    const Tensor& x = features.back();
    // Turned back, the mirror image's features see the same people at the same places.
    const Tensor mirrored = flipped != nullptr ? flip(flipped->back(), 2) : Tensor();
    Tensor maps = root_maps(x);
    if (mirrored.defined()) maps = (maps + root_maps(mirrored)) * 0.5;
    const Found found = find_centres(maps, test);
    const int blur = test.all.get("blur_kernel_size", 3);
    std::vector<Prediction> predictions;
    int64_t first = 0;
    for (size_t i = 0; i < samples.size(); ++i) {
      int64_t last = first;
      Centres own;
      for (; last < found.centres.size() && found.centres.image[size_t(last)] == int64_t(i);
           ++last) {
        own.xy.push_back(found.centres.xy[size_t(last)]);
        own.image.push_back(0);
      }
      const auto people_maps = [&](const Tensor& all) {
        const Tensor one = slice(all, 0, int64_t(i), int64_t(i) + 1);
        return decouple_(one, features_at(one, own), own);
      };
      Tensor heat = own.size() > 0 ? people_maps(x) : Tensor();
      if (heat.defined() && mirrored.defined())
        heat = (heat + flip_keypoints(people_maps(mirrored), flip_indices_of(samples))) * 0.5;
      const std::span<const float> scores(found.scores.data() + first, size_t(last - first));
      predictions.push_back(decode(heat, scores, samples[i].meta, blur));
      first = last;
    }
    return predictions;
  }

  const Codec* codec() const override { return codec_.get(); }

 private:
  struct Found {
    Centres centres;  // image after image, best first
    std::vector<float> scores;
  };

  // (N, H, W) of the centres.
  Tensor root_maps(const Tensor& features) const {
    const Tensor all = roots_(features);
    return reshape(bounded_sigmoid(slice(all, 3, count_, count_ + 1)),
                   {all.size(0), all.size(1), all.size(2)});
  }

  static Found find_centres(const Tensor& maps, const TestOptions& test) {
    const int blur = test.all.get("blur_kernel_size", 3);
    const int most = test.all.get("max_instances", 30);
    const double threshold = test.all.get("score_threshold", 0.01);
    const int64_t H = maps.size(1), W = maps.size(2);
    const Tensor smooth =
        reshape(smoothed_maps(reshape(maps, {-1, 1, H, W}), blur), maps.shape()).to(DType::f32);
    const double size = double(H + W) / 2;
    const int kernel = size > 300 ? 7 : size > 200 ? 5 : 3;
    Found found;
    for (int64_t n = 0; n < maps.size(0); ++n)
      for (const LocalMaximum& m : top_local_maxima(smooth.data<float>() + n * H * W, {W, H},
                                                    kernel, most, float(threshold))) {
        found.centres.xy.push_back({m.x, m.y});
        found.centres.image.push_back(n);
        found.scores.push_back(m.value);
      }
    return found;
  }

  static Centres given_centres(ConstBatch samples) {
    const DeviceScope on_host({});
    Centres centres;
    for (size_t i = 0; i < samples.size(); ++i) {
      const Tensor xy = batch_labels(samples.subspan(i, 1), "instance_coords").to(DType::i64);
      for (int64_t m = 0; m < xy.size(0); ++m) {
        centres.xy.push_back({xy.data<int64_t>()[2 * m], xy.data<int64_t>()[2 * m + 1]});
        centres.image.push_back(int64_t(i));
      }
    }
    return centres;
  }

  // Fields "instance_heatmaps" (M K, H, W) of all samples as (sum of M, K, H, W).
  Tensor batch_labels_of_maps(ConstBatch samples) const {
    std::vector<Tensor> parts;
    for (const DataSample& sample : samples) {
      const Tensor maps = batch_fields({&sample, 1}, "instance_heatmaps");
      parts.push_back(reshape(maps, {maps.size(1) / count_, count_, maps.size(2), maps.size(3)}));
    }
    return concat(parts, 0);
  }

  // People of one image should differ from each other: the mean over people.
  Tensor contrast_of(const Tensor& people, ConstBatch samples) const {
    Tensor total = Tensor::zeros({}, people.dtype());
    int64_t first = 0;
    for (size_t i = 0; i < samples.size(); ++i) {
      const int64_t M = batch_labels(samples.subspan(i, 1), "instance_coords").size(0);
      if (M > 0)
        total = total + contrastive_loss_->single({.outputs = {slice(people, 0, first, first + M)},
                                                   .targets = {},
                                                   .weight = {},
                                                   .mask = {}});
      first += M;
    }
    return total / double(std::max<int64_t>(1, first));
  }

  static void keep_rows(const std::vector<int64_t>& rows, Centres& centres, Tensor& people,
                        Tensor& target, Tensor& weight) {
    Centres kept;
    for (int64_t r : rows) {
      kept.xy.push_back(centres.xy[size_t(r)]);
      kept.image.push_back(centres.image[size_t(r)]);
    }
    centres = std::move(kept);
    const Tensor index = Tensor::from(rows, {int64_t(rows.size())});
    for (Tensor* t : {&people, &target, &weight}) *t = index_select(*t, 0, index);
  }

  // heat: (M, K, H, W), undefined where nobody was found.
  Prediction decode(const Tensor& heat, std::span<const float> scores, const SampleMeta& meta,
                    int blur) const {
    const DeviceScope on_host({});
    const int64_t M = int64_t(scores.size());
    Prediction p;
    if (M == 0) {
      p.instances.keypoints = Tensor::zeros({0, count_, 2});
      p.instances.keypoint_scores = Tensor::zeros({0, count_});
      return p;
    }
    const Tensor parts[] = {smoothed_maps(heat, blur).to(DType::f32), Tensor::from(scores, {M, 1})};
    Decoded found = codec_->decode(parts);
    // From a map pixel's corner to its centre.
    const auto [height, width] = covered_shape(meta);
    float* xy = found.keypoints.data<float>();
    for (int64_t i = 0; i < M * count_; ++i) {
      xy[2 * i] += float(width) / float(heat.size(3)) / 2;
      xy[2 * i + 1] += float(height) / float(heat.size(2)) / 2;
    }
    p.instances.keypoints = found.keypoints;
    p.instances.keypoint_scores = found.scores;
    return p;
  }

  int64_t count_;
  Conv2d roots_;
  FeatureDecoupling decouple_;
  std::unique_ptr<Loss> coupled_loss_, decoupled_loss_, contrastive_loss_;
  std::unique_ptr<Codec> codec_;
};

}  // namespace

std::unique_ptr<Head> make_cid_head(const Config& config, const Scope& scope) {
  return std::make_unique<CIDHead>(config, scope);
}

}  // namespace limber
