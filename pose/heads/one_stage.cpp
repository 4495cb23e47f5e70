#include "pose/heads/one_stage.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "pose/core/bbox.h"
#include "pose/core/keypoint_metrics.h"
#include "pose/core/nms.h"
#include "pose/heads/flip.h"
#include "pose/heads/heatmap_layers.h"
#include "pose/losses/overlap.h"
#include "tensor/op.h"
#include "tensor/ops.h"
#include "tensor/ops/check.h"

namespace limber {
namespace {

constexpr double kVisible = 0.3;  // probability above which a point counts for a pose's middle

// The loss `key` of a head; its weight is the head's, so that it can change.
OneStageLoss read_weighted(const Config& c, const char* key, const Scope& s) {
  const Config node = c.find(key);
  if (node.is_null()) return {};
  Config unweighted = node.clone();
  unweighted.set("loss_weight", Config::value(1.0));
  node.ignore();
  return {make_loss(unweighted, s / key), node.get("loss_weight", 1.0)};
}

std::vector<std::array<int64_t, 2>> sizes_of(const Features& maps) {
  std::vector<std::array<int64_t, 2>> sizes;
  for (const Tensor& map : maps) sizes.push_back({map.size(1), map.size(2)});
  return sizes;
}

// x: (N, P, 4), priors: (P, 4) -> corners.
Tensor decoded_boxes(const Tensor& x, const Tensor& priors) {
  const Tensor at = slice(priors, 1, 0, 2), stride = slice(priors, 1, 2, 4);
  const Tensor center = slice(x, 2, 0, 2) * stride + at;
  const Tensor half = exp(slice(x, 2, 2, 4)) * stride * 0.5;
  return concat({center - half, center + half}, -1);
}

// x: (N, P, K, 2).
Tensor decoded_points(const Tensor& x, const Tensor& priors) {
  const int64_t P = priors.size(0);
  const Tensor at = reshape(slice(priors, 1, 0, 2), {P, 1, 2});
  return x * reshape(slice(priors, 1, 2, 4), {P, 1, 2}) + at;
}

// One label of one sample, in the predictions' type.
Tensor label(const DataSample& sample, const char* name, DType dtype) {
  return batch_labels({&sample, 1}, name).to(dtype);
}

// The value of a map (H, W) at (x, y) in pixels of an input of this size, 0 outside; bilinear
// between the middles of cells.
double value_at(const Tensor& map, double x, double y, const std::array<int, 2>& input) {
  const int64_t H = map.size(-2), W = map.size(-1);
  const auto place = [](double p, int extent, int64_t cells) {
    return p / std::max(extent - 1, 1) * double(cells) - 0.5;
  };
  const double u = place(x, input[0], W), v = place(y, input[1], H);
  const int64_t left = int64_t(std::floor(u)), top = int64_t(std::floor(v));
  const float* values = map.data<float>();
  double total = 0;
  for (int64_t h = top; h <= top + 1; ++h)
    for (int64_t w = left; w <= left + 1; ++w)
      if (h >= 0 && h < H && w >= 0 && w < W)
        total += (1 - std::abs(v - double(h))) * (1 - std::abs(u - double(w))) *
                 double(values[h * W + w]);
  return total;
}

// (P,): 1 less the mask of unannotated people at the middle of each point's visible key points.
std::vector<double> object_weights(const Tensor& mask, const PointPredictions& p,
                                   const std::array<int, 2>& input) {
  const int64_t P = p.priors.size(0), K = p.visible.size(1);
  const std::vector<double> points = to_doubles(p.keypoints), visible = to_doubles(p.visible);
  std::vector<double> weights;
  for (int64_t i = 0; i < P; ++i) {
    double x = 0, y = 0, count = 0;
    for (int64_t k = i * K; k < (i + 1) * K; ++k) {
      if (visible[size_t(k)] <= kVisible) continue;
      x += points[size_t(2 * k)];
      y += points[size_t(2 * k + 1)];
      ++count;
    }
    const double n = std::max(count, 1e-8);
    const bool finite = std::isfinite(x / n) && std::isfinite(y / n);
    weights.push_back(finite ? 1 - value_at(mask, x / n, y / n, input) : 1);
  }
  return weights;
}

Tensor indices(const std::vector<int64_t>& values) {
  return Tensor::from(values, {int64_t(values.size())});
}

PointTruth truth_of(const DataSample& sample, DType dtype) {
  return {.boxes = label(sample, "bboxes", dtype),
          .labels = label(sample, "labels", dtype),
          .keypoints = label(sample, "keypoints", dtype),
          .visible = label(sample, "keypoints_visible", dtype),
          .areas = label(sample, "areas", dtype)};
}

// The targets of a batch, gathered image by image.
class TargetParts {
 public:
  TargetParts(int64_t images, int64_t points, int64_t classes)
      : P_(points), C_(classes), object_(size_t(images * points), 0), weights_(object_.size(), 1) {}

  void add(int64_t image, const DataSample& sample, const PointTruth& truth, const Tensor& priors,
           const std::vector<PointMatch>& matches) {
    if (matches.empty()) return;
    std::vector<int64_t> at, people;
    const std::vector<double> classes = to_doubles(truth.labels);
    for (const PointMatch& match : matches) {
      at.push_back(match.point);
      people.push_back(match.person);
      index_.push_back(image * P_ + match.point);
      object_[size_t(index_.back())] = 1;
      for (int64_t c = 0; c < C_; ++c)
        overlaps_.push_back(classes[size_t(match.person)] == double(c) ? match.overlap : 0);
    }
    const Tensor who = indices(people);
    priors_.push_back(index_select(priors, 0, indices(at)));
    boxes_.push_back(index_select(truth.boxes, 0, who));
    keypoints_.push_back(index_select(truth.keypoints, 0, who));
    visible_.push_back(index_select(truth.visible, 0, who));
    areas_.push_back(index_select(truth.areas, 0, who));
    const char* key = "keypoints_visible_weights";
    visible_weights_.push_back(sample.labels.contains(key)
                                   ? index_select(label(sample, key, truth.boxes.dtype()), 0, who)
                                   : Tensor::full(visible_.back().shape(), 1, truth.boxes.dtype()));
  }
  void set_weights(int64_t image, const std::vector<double>& weights) {
    std::ranges::copy(weights, weights_.begin() + image * P_);
  }
  OneStageTargets targets(DType dtype, Device device) const {
    const int64_t M = int64_t(index_.size()), all = int64_t(object_.size());
    const auto joined = [&](const std::vector<Tensor>& parts) {
      return parts.empty() ? Tensor() : concat(parts, 0).to(device);
    };
    const auto made = [&](const std::vector<double>& values, const Shape& shape) {
      return Tensor::from(values, shape).to(dtype).to(device);
    };
    return {.index = indices(index_).to(device),
            .priors = joined(priors_),
            .boxes = joined(boxes_),
            .keypoints = joined(keypoints_),
            .visible = joined(visible_),
            .visible_weights = joined(visible_weights_),
            .areas = joined(areas_),
            .overlaps = made(overlaps_, {M, C_}),
            .object = made(object_, {all, 1}),
            .object_weights = made(weights_, {all, 1})};
  }

 private:
  int64_t P_, C_;
  std::vector<int64_t> index_;
  std::vector<double> overlaps_, object_, weights_;
  std::vector<Tensor> priors_, boxes_, keypoints_, visible_, visible_weights_, areas_;
};

// What was found in an image's mirror image, in the image itself.
Instances turned_back(Instances found, const SampleMeta& meta, const std::vector<int>& flips) {
  found.bboxes = flip_bbox(found.bboxes, meta.input_size, BoxLayout::xyxy, true, false);
  found.keypoints = flip_keypoints(found.keypoints, flips).clone();
  float* points = found.keypoints.data<float>();
  for (int64_t i = 0; i < found.keypoints.numel(); i += 2)
    points[i] = float(meta.input_size[0] - 1) - points[i];
  found.keypoint_scores = flip_keypoints(found.keypoint_scores, flips);
  return found;
}

// All of both, less what is suppressed.
Prediction merged_pair(const Instances& a, const Instances& b, double nms_thr) {
  const Tensor boxes = concat({a.bboxes, b.bboxes}, 0);
  const Tensor scores = concat({a.bbox_scores, b.bbox_scores}, 0);
  std::vector<int64_t> kept;
  for (int i : continuous_box_nms(boxes.span<float>(), scores.span<float>(), nms_thr))
    kept.push_back(i);
  const Tensor index = indices(kept);
  const auto pick = [&](const Tensor& x, const Tensor& y) {
    return index_select(concat({x, y}, 0), 0, index);
  };
  Prediction out;
  out.instances.bboxes = pick(a.bboxes, b.bboxes);
  out.instances.bbox_scores = pick(a.bbox_scores, b.bbox_scores);
  out.instances.keypoints = pick(a.keypoints, b.keypoints);
  out.instances.keypoint_scores = pick(a.keypoint_scores, b.keypoint_scores);
  out.instances.keypoints_visible = out.instances.keypoint_scores;
  out.instances.more["labels"] = {pick(a.more.at("labels")[0], b.more.at("labels")[0])};
  return out;
}

}  // namespace

Tensor OneStageLoss::operator()(const LossInput& input) const {
  check(defined(), "the head's config names no such loss, so it cannot train");
  return loss->single(input) * weight;
}

OneStageHead::OneStageHead(const Config& c, const Scope& s, std::span<const char* const> losses)
    : keypoints_(c.get<int64_t>("num_keypoints")),
      classes_(c.get<int64_t>("num_classes", 1)),
      use_aux_loss_(c.get("use_aux_loss", false)),
      overlaps_power_(c.get("overlaps_power", 1.0)) {
  if (c.has("assigner")) assigner_ = SimOta(c.at("assigner"));
  priors_ = PriorPoints(c.at("prior_generator"));
  for (const char* key : losses) losses_[key] = read_weighted(c, key, s);
}

void OneStageHead::set_option(const std::string& path, const Config& value) {
  constexpr std::string_view kWeight = ".loss_weight";
  if (path == "use_aux_loss") {
    use_aux_loss_ = value.as<bool>();
  } else if (path == "overlaps_power") {
    overlaps_power_ = value.as<double>();
  } else if (path.ends_with(kWeight) &&
             losses_.contains(path.substr(0, path.size() - kWeight.size()))) {
    losses_.at(path.substr(0, path.size() - kWeight.size())).weight = value.as<double>();
  } else {
    Head::set_option(path, value);
  }
}

OneStagePoints OneStageHead::at_points(const OneStageMaps& maps) const {
  OneStagePoints p;
  p.priors = priors_(sizes_of(maps.scores), maps.scores[0].dtype());
  p.scores = flat_points(maps.scores);
  p.raw_boxes = flat_points(maps.boxes);
  p.boxes = decoded_boxes(p.raw_boxes, p.priors);
  p.visible = flat_points(maps.visible);
  if (maps.offsets.empty()) return p;
  const int64_t N = p.scores.size(0);
  p.raw_keypoints = reshape(flat_points(maps.offsets), {N, -1, keypoints_, 2});
  p.keypoints = decoded_points(p.raw_keypoints, p.priors);
  return p;
}

OneStageTargets OneStageHead::targets_of(const OneStagePoints& points, const Tensor& scores,
                                         ConstBatch samples) const {
  const NoRecord no_record;
  check(int64_t(samples.size()) == points.scores.size(0), "the head got ", points.scores.size(0),
        " images and ", samples.size(), " samples");
  const Device device = points.scores.device();
  // The CPU's ops know no 16-bit floats, which maps may have in mixed precision.
  const DType dtype = wide_type(points.scores);
  const auto host = [&](const Tensor& t) { return t.to(dtype).to(Device{}); };
  const Tensor visible = host(sigmoid(points.visible));
  const DeviceScope on_host({});
  const Tensor priors = host(points.priors), boxes = host(points.boxes), paid = host(scores);
  const Tensor keypoints = host(points.keypoints);
  TargetParts parts(int64_t(samples.size()), priors.size(0), classes_);
  for (size_t n = 0; n < samples.size(); ++n) {
    const DataSample& sample = samples[n];
    const PointPredictions predicted{.priors = priors,
                                     .boxes = sample_of(boxes, n),
                                     .scores = sample_of(paid, n),
                                     .keypoints = sample_of(keypoints, n),
                                     .visible = sample_of(visible, n)};
    const PointTruth truth = truth_of(sample, dtype);
    parts.add(int64_t(n), sample, truth, priors, assigner_(predicted, truth));
    const auto mask = sample.fields.find("heatmap_mask");
    if (mask == sample.fields.end() || mask->second.empty() || truth.boxes.size(0) == 0) continue;
    parts.set_weights(int64_t(n), object_weights(mask->second[0].to(DType::f32), predicted,
                                                 sample.meta.input_size));
  }
  return parts.targets(dtype, device);
}

Losses OneStageHead::common_losses(const OneStagePoints& points, const OneStageTargets& t) const {
  Losses losses;
  const Tensor boxes = rows_at(points.boxes, t.index);
  losses.emplace_back("loss_bbox",
                      loss_named("loss_bbox")({{boxes}, {t.boxes}, {}, {}}) / t.samples());
  if (use_aux_loss_ && loss_named("loss_bbox_aux").defined()) {
    const Tensor at = slice(t.priors, 1, 0, 2), stride = slice(t.priors, 1, 2, 4);
    const Tensor first = slice(t.boxes, 1, 0, 2), last = slice(t.boxes, 1, 2, 4);
    const Tensor target =
        concat({((first + last) * 0.5 - at) / stride, log((last - first) / stride + 1e-8)}, -1);
    const Tensor raw = rows_at(points.raw_boxes, t.index);
    losses.emplace_back("loss_bbox_aux",
                        loss_named("loss_bbox_aux")({{raw}, {target}, {}, {}}) / t.samples());
  }
  losses.emplace_back(
      "loss_vis", loss_named("loss_vis")(
                      {{rows_at(points.visible, t.index)}, {t.visible}, t.visible_weights, {}}));
  return losses;
}

Tensor OneStageHead::similarity(const Tensor& points, const OneStageTargets& t) const {
  const std::vector<float>& values = assigner_.sigmas();
  Tensor sigmas;
  if (!values.empty()) sigmas = Tensor::from(values, {int64_t(values.size())}).to(points.dtype());
  const Tensor total = clamp(sum(t.visible, {-1}, /*keep_dims=*/true), 1e-8, 1e37);
  const Tensor areas = reshape(t.areas, {-1, 1});
  return reshape(keypoint_similarity(points, t.keypoints, t.visible / total, areas, sigmas),
                 {-1, 1});
}

Tensor OneStageHead::class_targets(const Tensor& overlaps) const {
  const NoRecord no_record;
  return overlaps_power_ == 1 ? overlaps : pow(overlaps, overlaps_power_);
}

OneStageHead::Selection OneStageHead::select(const Tensor& device_scores,
                                             const Tensor& device_boxes,
                                             const TestOptions& test) const {
  const DeviceScope on_host({});
  const Tensor probabilities = device_scores.to(Device{}), boxes = device_boxes.to(Device{});
  const double score_thr = test.all.get("score_thr", 0.01), nms_thr = test.all.get("nms_thr", 1.0);
  const auto most = test.all.get<int64_t>("nms_pre", 100000);
  const int64_t C = probabilities.size(1);
  const std::vector<double> all = to_doubles(probabilities);
  const auto score = [&](int64_t p) {
    return std::max_element(all.begin() + p * C, all.begin() + (p + 1) * C);
  };
  std::vector<int64_t> order;
  for (int64_t p = 0; p < probabilities.size(0); ++p)
    if (*score(p) > score_thr) order.push_back(p);
  std::ranges::stable_sort(order, std::ranges::greater(), [&](int64_t p) { return *score(p); });
  if (int64_t(order.size()) > most) order.resize(size_t(most));
  if (nms_thr < 1 && !order.empty()) {
    // In their order, which rounding to single precision leaves as it is.
    const Tensor sorted = index_select(boxes, 0, indices(order)).to(DType::f32);
    std::vector<float> scores;
    for (int64_t p : order) scores.push_back(float(*score(p)));
    std::vector<int64_t> kept;
    for (int i : continuous_box_nms(sorted.span<float>(), scores, nms_thr))
      kept.push_back(order[size_t(i)]);
    order = kept;
  }
  Selection out;
  std::vector<float> scores;
  for (int64_t p : order) {
    scores.push_back(float(*score(p)));
    out.labels.push_back(score(p) - all.begin() - p * C);
  }
  out.points = order;
  out.index = indices(order).to(device_scores.device());
  out.scores = Tensor::from(scores, {int64_t(scores.size())});
  return out;
}

Prediction OneStageHead::predicted(const Selection& selection, const Tensor& boxes,
                                   const Tensor& keypoints, const Tensor& visible,
                                   const SampleMeta& meta) const {
  const auto chosen = [&](const Tensor& t) { return index_select(t, 0, selection.index); };
  const auto host = [](const Tensor& t) { return t.to(DType::f32).to(Device{}); };
  const Tensor seen = chosen(visible), kept = chosen(boxes);
  const DeviceScope on_host({});
  Prediction p;
  Instances& found = p.instances;
  found.bboxes = clip_bbox(host(kept), meta.input_size);
  found.bbox_scores = selection.scores;
  found.keypoints = host(keypoints);
  found.keypoint_scores = host(seen);
  found.keypoints_visible = found.keypoint_scores;
  found.more["labels"] = {indices(selection.labels)};
  return p;
}

std::vector<Prediction> OneStageHead::merged(const std::vector<Prediction>& plain,
                                             const std::vector<Prediction>& mirrored,
                                             ConstBatch samples, const TestOptions& test) const {
  const std::vector<int>& flips = flip_indices_of(samples);
  const DeviceScope on_host({});
  std::vector<Prediction> out;
  for (size_t n = 0; n < plain.size(); ++n)
    out.push_back(merged_pair(plain[n].instances,
                              turned_back(mirrored[n].instances, samples[n].meta, flips),
                              test.all.get("nms_thr", 1.0)));
  return out;
}

Tensor flat_points(const Features& maps) {
  std::vector<Tensor> levels;
  for (const Tensor& map : maps)
    levels.push_back(reshape(map, {map.size(0), map.size(1) * map.size(2), map.size(3)}));
  return concat(levels, 1);
}

Tensor rows_at(const Tensor& x, const Tensor& index) {
  return index_select(
      reshape(x, x.shape().without(0).without(0).inserted(0, x.size(0) * x.size(1))), 0, index);
}

Tensor with_rows(const Tensor& x, const Tensor& index, const Tensor& rows) {
  const NoRecord no_record;
  const Tensor at = index.to(Device{});
  const Tensor out = x.clone();
  for (int64_t i = 0; i < at.numel(); ++i)
    out.alias(rows.shape().without(0), at.data<int64_t>()[i] * rows.size(1))
        .copy_from(sample_of(rows, size_t(i)));
  return out;
}

void add_outputs(Outputs& outputs, int group, const Features& maps) {
  for (size_t level = 0; level < maps.size(); ++level)
    outputs.emplace_back(str(group, "/", level), maps_first(maps[level]));
}

}  // namespace limber
