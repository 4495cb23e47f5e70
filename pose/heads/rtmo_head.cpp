#include "pose/heads/rtmo_head.h"

#include "pose/heads/coordinate_classifier.h"
#include "pose/heads/one_stage.h"
#include "pose/heads/one_stage_branches.h"
#include "pose/losses/overlap.h"
#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {
namespace {

constexpr const char* kLosses[] = {"loss_cls", "loss_bbox", "loss_oks",
                                   "loss_vis", "loss_mle",  "loss_bbox_aux"};

// The layers: two branches a level, one for each half of the channels, and their outputs.
struct Branches {
  std::vector<ConvStack> cls, pose;
  std::vector<Conv2d> out_cls, out_bbox, out_kpt, out_vis, out_pose;

  Branches(const Config& c, const Scope& s, int levels, int64_t K, int64_t classes) {
    const BranchOptions o = read_branches(c, classes);
    const auto width = int64_t(double(c.get<int64_t>("cls_feat_channels", 256)) * o.widen);
    const int groups = c.get("num_groups", 8);
    const auto pose_width =
        groups * int64_t(double(c.get<int64_t>("channels_per_group", 36)) * o.widen);
    const auto vector = c.get<int64_t>("pose_vec_channels", -1);
    c.expect_all_read();
    for (int i = 0; i < levels; ++i) {
      cls.emplace_back(s / "conv_cls" / i, o, o.in, width, o.stacked, 1);
      pose.emplace_back(s / "conv_pose" / i, o, o.in, pose_width, 2 * o.stacked, groups);
      out_cls.push_back(output_conv(s / "out_cls" / i, width, classes));
      out_bbox.push_back(output_conv(s / "out_bbox" / i, pose_width, 4));
      out_kpt.push_back(output_conv(s / "out_kpt_reg" / i, pose_width, 2 * K));
      out_vis.push_back(output_conv(s / "out_kpt_vis" / i, pose_width, K));
      if (vector > 0) out_pose.push_back(output_conv(s / "out_pose" / i, pose_width, vector));
      expect_few(s / "out_cls" / i);
    }
  }
};

class RTMOHead : public OneStageHead {
 public:
  RTMOHead(const Config& c, const Scope& s)
      : OneStageHead(c, s, kLosses),
        branches_(c.at("head_module_cfg"), s / "head_module",
                  int(c.get("featmap_strides", std::vector<int>{16, 32}).size()), keypoints(),
                  classes()),
        dcc_(c.at("dcc_cfg"), s / "dcc", keypoints()),
        training_(s.layer("RTMOHead")),
        padding_(c.get("bbox_padding", 1.25)),
        proxy_targets_(c.get("proxy_target_cc", false)) {}

  Outputs forward(const Features& features) const override {
    const Maps maps = maps_of(features, *training_);
    Outputs out;
    add_outputs(out, 0, maps.scores);
    add_outputs(out, 1, maps.boxes);
    add_outputs(out, 2, maps.offsets);
    add_outputs(out, 3, maps.visible);
    add_outputs(out, 4, maps.vectors);
    return out;
  }

  Losses loss(const Features& features, ConstBatch samples) const override;
  std::vector<Prediction> predict(const Features& features, const Features* flipped,
                                  ConstBatch samples, const TestOptions& test) const override;

  void set_option(const std::string& path, const Config& value) override {
    if (path == "proxy_target_cc") {
      proxy_targets_ = value.as<bool>();
    } else {
      OneStageHead::set_option(path, value);
    }
  }

 private:
  struct Maps : OneStageMaps {
    Features vectors;
  };
  // The offsets of key points teach the pose branch; they are left out of predictions.
  Maps maps_of(const Features& features, bool with_offsets) const;
  // Adds loss_mle and loss_oks; returns the targets of the classification.
  Tensor add_pose_losses(const OneStagePoints& points, const Tensor& vectors,
                         const OneStageTargets& t, Losses& losses) const;
  std::vector<Prediction> predict_plain(const Features& features, ConstBatch samples,
                                        const TestOptions& test) const;
  // Centre and padded size of boxes (M, 4).
  Tensor spans_of(const Tensor& boxes) const;
  Branches branches_;
  CoordinateClassifier dcc_;
  const bool* training_;
  double padding_;
  bool proxy_targets_;
};

RTMOHead::Maps RTMOHead::maps_of(const Features& features, bool with_offsets) const {
  const Branches& b = branches_;
  check(features.size() == b.cls.size(), "RTMOHead: ", features.size(), " maps for ", b.cls.size(),
        " strides");
  Maps maps;
  for (size_t i = 0; i < features.size(); ++i) {
    const std::vector<Tensor> halves = chunk(features[i], 2, -1);
    const Tensor pose = b.pose[i](halves[1]);
    maps.scores.push_back(b.out_cls[i](b.cls[i](halves[0])));
    maps.boxes.push_back(b.out_bbox[i](pose));
    if (with_offsets) maps.offsets.push_back(b.out_kpt[i](pose));
    maps.visible.push_back(b.out_vis[i](pose));
    maps.vectors.push_back(b.out_pose.empty() ? pose : b.out_pose[i](pose));
  }
  return maps;
}

Tensor RTMOHead::spans_of(const Tensor& boxes) const {
  const Tensor first = slice(boxes, 1, 0, 2), last = slice(boxes, 1, 2, 4);
  return concat({(first + last) * 0.5, (last - first) * padding_}, 1);
}

Losses RTMOHead::loss(const Features& features, ConstBatch samples) const {
  const Maps maps = maps_of(features, /*with_offsets=*/true);
  const OneStagePoints points = at_points(maps);
  Tensor scores;
  {
    const NoRecord no_record;
    scores = sqrt(sigmoid(points.scores));
  }
  const OneStageTargets t = targets_of(points, scores, samples);
  Losses losses;
  Tensor targets = t.object;
  if (t.count() > 0) {
    losses = common_losses(points, t);
    const Tensor overlaps = add_pose_losses(points, flat_points(maps.vectors), t, losses);
    targets = with_rows(t.object, t.index, class_targets(overlaps));
    losses.emplace_back("overlaps", overlaps);
  }
  losses.emplace_back("loss_cls",
                      loss_named("loss_cls")({.outputs = {reshape(points.scores, {-1, classes()})},
                                              .targets = {targets},
                                              .weight = t.object_weights,
                                              .mask = {}}) /
                          t.samples());
  losses.emplace_back("num_samples", Tensor::full({}, t.samples()));
  return losses;
}

Tensor RTMOHead::add_pose_losses(const OneStagePoints& points, const Tensor& vectors,
                                 const OneStageTargets& t, Losses& losses) const {
  const Tensor spans = spans_of(rows_at(points.boxes, t.index));
  const Tensor regressed = rows_at(points.keypoints, t.index);
  CoordinateClassifier::Estimate found;
  if (loss_named("loss_mle").weight > 0) {
    found = dcc_.estimate(rows_at(vectors, t.index), spans, slice(t.priors, 1, 0, 2));
    const auto [x, y] = dcc_.likelihoods(t.keypoints, spans, found.sigmas, t.areas);
    losses.emplace_back(
        "loss_mle",
        loss_named("loss_mle")(
            {.outputs = {found.x, found.y}, .targets = {x, y}, .weight = t.visible, .mask = {}}));
  }
  Tensor target = t.keypoints, weight = t.visible, overlaps = t.overlaps;
  if (proxy_targets_) {
    check_input(found.keypoints.defined(), "RTMOHead: proxy_target_cc needs loss_mle");
    const NoRecord no_record;
    target = found.keypoints.alias(found.keypoints.shape());
    // Where the classifier is nearer to the truth, it teaches the regression.
    const Tensor nearer =
        greater(norm(regressed - t.keypoints, -1), norm(target - t.keypoints, -1));
    weight = t.visible * nearer;
    overlaps = similarity(target, t);
  }
  losses.emplace_back(
      "loss_oks",
      loss_named("loss_oks")(
          {.outputs = {regressed}, .targets = {target, t.areas}, .weight = weight, .mask = {}}));
  return overlaps;
}

std::vector<Prediction> RTMOHead::predict_plain(const Features& features, ConstBatch samples,
                                                const TestOptions& test) const {
  const Maps maps = maps_of(features, /*with_offsets=*/false);
  const OneStagePoints points = at_points(maps);
  const Tensor scores = sigmoid(points.scores), visible = sigmoid(points.visible);
  const Tensor vectors = flat_points(maps.vectors);
  std::vector<Prediction> predictions;
  for (size_t n = 0; n < samples.size(); ++n) {
    const Tensor boxes = sample_of(points.boxes, n);
    const Selection chosen = select(sample_of(scores, n), boxes, test);
    const auto pick = [&](const Tensor& t) { return index_select(t, 0, chosen.index); };
    const Tensor at = slice(pick(points.priors), 1, 0, 2);
    const Tensor found = dcc_.keypoints(pick(sample_of(vectors, n)), spans_of(pick(boxes)), at);
    predictions.push_back(predicted(chosen, boxes, found, sample_of(visible, n), samples[n].meta));
  }
  return predictions;
}

std::vector<Prediction> RTMOHead::predict(const Features& features, const Features* flipped,
                                          ConstBatch samples, const TestOptions& test) const {
  std::vector<Prediction> plain = predict_plain(features, samples, test);
  if (flipped == nullptr) return plain;
  return merged(plain, predict_plain(*flipped, samples, test), samples, test);
}

}  // namespace

std::unique_ptr<Head> make_rtmo_head(const Config& config, const Scope& scope) {
  return std::make_unique<RTMOHead>(config, scope);
}

}  // namespace limber
