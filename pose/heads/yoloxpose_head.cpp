#include "pose/heads/yoloxpose_head.h"

#include <cmath>

#include "nn/blocks/conv_module.h"
#include "pose/core/layer_config.h"
#include "pose/heads/one_stage.h"
#include "pose/heads/one_stage_branches.h"
#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {
namespace {

constexpr const char* kLosses[] = {"loss_cls", "loss_obj",      "loss_bbox",   "loss_oks",
                                   "loss_vis", "loss_bbox_aux", "loss_kpt_aux"};

// The layers: three branches a level, their outputs.
struct Branches {
  std::vector<ConvStack> cls, reg, pose;
  std::vector<Conv2d> out_cls, out_obj, out_bbox, out_kpt, out_vis;

  Branches(const Config& c, const Scope& s, int levels, int64_t K, int64_t classes) {
    const BranchOptions o = read_branches(c, classes);
    const auto width = int64_t(double(c.get<int64_t>("feat_channels", 256)) * o.widen);
    c.expect_all_read();
    for (int i = 0; i < levels; ++i) {
      cls.emplace_back(s / "conv_cls" / i, o, o.in, width, o.stacked, 1);
      reg.emplace_back(s / "conv_reg" / i, o, o.in, width, o.stacked, 1);
      pose.emplace_back(s / "conv_pose" / i, o, o.in, width, 2 * o.stacked, 1);
      out_cls.push_back(output_conv(s / "out_cls" / i, width, classes));
      out_obj.push_back(output_conv(s / "out_obj" / i, width, 1));
      out_bbox.push_back(output_conv(s / "out_bbox" / i, width, 4));
      out_kpt.push_back(output_conv(s / "out_kpt" / i, width, 2 * K));
      out_vis.push_back(output_conv(s / "out_kpt_vis" / i, width, K));
      expect_few(s / "out_cls" / i);
      expect_few(s / "out_obj" / i);
    }
  }
};

class YOLOXPoseHead : public OneStageHead {
 public:
  YOLOXPoseHead(const Config& c, const Scope& s)
      : OneStageHead(c, s, kLosses),
        branches_(c.at("head_module_cfg"), s / "head_module",
                  int(c.get("featmap_strides", std::vector<int>{8, 16, 32}).size()), keypoints(),
                  classes()) {}

  Outputs forward(const Features& features) const override {
    const Maps maps = maps_of(features);
    Outputs out;
    add_outputs(out, 0, maps.scores);
    add_outputs(out, 1, maps.objects);
    add_outputs(out, 2, maps.boxes);
    add_outputs(out, 3, maps.offsets);
    add_outputs(out, 4, maps.visible);
    return out;
  }

  Losses loss(const Features& features, ConstBatch samples) const override;
  std::vector<Prediction> predict(const Features& features, const Features* flipped,
                                  ConstBatch samples, const TestOptions& test) const override;

 private:
  struct Maps : OneStageMaps {
    Features objects;
  };
  Maps maps_of(const Features& features) const;
  std::vector<Prediction> predict_plain(const Features& features, ConstBatch samples,
                                        const TestOptions& test) const;
  void add_pose_losses(const OneStagePoints& points, const OneStageTargets& t,
                       Losses& losses) const;
  Branches branches_;
};

YOLOXPoseHead::Maps YOLOXPoseHead::maps_of(const Features& features) const {
  const Branches& b = branches_;
  check(features.size() == b.cls.size(), "YOLOXPoseHead: ", features.size(), " maps for ",
        b.cls.size(), " strides");
  Maps maps;
  for (size_t i = 0; i < features.size(); ++i) {
    const Tensor cls = b.cls[i](features[i]), reg = b.reg[i](features[i]);
    const Tensor pose = b.pose[i](features[i]);
    maps.scores.push_back(b.out_cls[i](cls));
    maps.objects.push_back(b.out_obj[i](reg));
    maps.boxes.push_back(b.out_bbox[i](reg));
    maps.offsets.push_back(b.out_kpt[i](pose));
    maps.visible.push_back(b.out_vis[i](pose));
  }
  return maps;
}

Losses YOLOXPoseHead::loss(const Features& features, ConstBatch samples) const {
  const Maps maps = maps_of(features);
  const OneStagePoints points = at_points(maps);
  const Tensor objects = flat_points(maps.objects);
  Tensor scores;
  {
    const NoRecord no_record;
    scores = sqrt(sigmoid(points.scores) * sigmoid(objects));
  }
  const OneStageTargets t = targets_of(points, scores, samples);
  Losses losses{{"loss_obj", loss_named("loss_obj")({.outputs = {reshape(objects, {-1, 1})},
                                                     .targets = {t.object},
                                                     .weight = t.object_weights,
                                                     .mask = {}}) /
                                 t.samples()}};
  if (t.count() == 0) return losses;
  for (auto& named : common_losses(points, t)) losses.push_back(std::move(named));
  add_pose_losses(points, t, losses);
  losses.emplace_back("overlaps", t.overlaps);
  losses.emplace_back("loss_cls",
                      loss_named("loss_cls")({.outputs = {rows_at(points.scores, t.index)},
                                              .targets = {class_targets(t.overlaps)},
                                              .weight = {},
                                              .mask = {}}) /
                          t.samples());
  return losses;
}

void YOLOXPoseHead::add_pose_losses(const OneStagePoints& points, const OneStageTargets& t,
                                    Losses& losses) const {
  losses.emplace_back("loss_kpt",
                      loss_named("loss_oks")({.outputs = {rows_at(points.keypoints, t.index)},
                                              .targets = {t.keypoints, t.areas},
                                              .weight = t.visible,
                                              .mask = {}}));
  if (!uses_aux_loss() || !loss_named("loss_kpt_aux").defined()) return;
  const int64_t M = t.count();
  const Tensor at = reshape(slice(t.priors, 1, 0, 2), {M, 1, 2});
  const Tensor stride = reshape(slice(t.priors, 1, 2, 4), {M, 1, 2});
  const Tensor value =
      loss_named("loss_kpt_aux")({.outputs = {rows_at(points.raw_keypoints, t.index)},
                                  .targets = {(t.keypoints - at) / stride},
                                  .weight = t.visible / double(keypoints()),
                                  .mask = {}});
  losses.emplace_back("loss_kpt_aux", value / t.samples());
}

std::vector<Prediction> YOLOXPoseHead::predict_plain(const Features& features, ConstBatch samples,
                                                     const TestOptions& test) const {
  const Maps maps = maps_of(features);
  const OneStagePoints points = at_points(maps);
  const Tensor scores = sigmoid(points.scores) * sigmoid(flat_points(maps.objects));
  const Tensor visible = sigmoid(points.visible);
  std::vector<Prediction> predictions;
  for (size_t n = 0; n < samples.size(); ++n) {
    const Tensor boxes = sample_of(points.boxes, n);
    const Selection selection = select(sample_of(scores, n), boxes, test);
    const Tensor keypoints = index_select(sample_of(points.keypoints, n), 0, selection.index);
    predictions.push_back(
        predicted(selection, boxes, keypoints, sample_of(visible, n), samples[n].meta));
  }
  return predictions;
}

std::vector<Prediction> YOLOXPoseHead::predict(const Features& features, const Features* flipped,
                                               ConstBatch samples, const TestOptions& test) const {
  std::vector<Prediction> plain = predict_plain(features, samples, test);
  if (flipped == nullptr) return plain;
  return merged(plain, predict_plain(*flipped, samples, test), samples, test);
}

}  // namespace

std::unique_ptr<Head> make_yoloxpose_head(const Config& config, const Scope& scope) {
  return std::make_unique<YOLOXPoseHead>(config, scope);
}

}  // namespace limber
