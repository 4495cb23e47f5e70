#include "pose/heads/edpose_loss.h"

#include <algorithm>
#include <cmath>

#include "pose/core/assignment.h"
#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {
namespace {

constexpr double kCocoSigmas[] = {0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072,
                                  0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089};

Tensor indices(const std::vector<int64_t>& values) {
  return Tensor::from(values, {int64_t(values.size())});
}

// Rows of x, whose first two dimensions are taken as one.
Tensor rows_of(const Tensor& x, const std::vector<int64_t>& rows) {
  Shape flat = x.shape().without(0).with(0, x.size(0) * x.size(1));
  return index_select(reshape(x, flat), 0, indices(rows));
}

// Corners of boxes given as centre and size; x and y each (T, 1).
struct Corners {
  Tensor left, top, right, bottom;
  explicit Corners(const Tensor& box)
      : left(edge(box, 0, -0.5)),
        top(edge(box, 1, -0.5)),
        right(edge(box, 0, 0.5)),
        bottom(edge(box, 1, 0.5)) {}
  static Tensor edge(const Tensor& box, int axis, double part) {
    return slice(box, 1, axis, axis + 1) + slice(box, 1, axis + 2, axis + 3) * part;
  }
  Tensor area() const { return (right - left) * (bottom - top); }
};

// exp(-d^2 / (2 area (2 sigma)^2)) summed over visible points, as a share of them. difference:
// (T, K, 2) in units whose square is the area's; visible: (T, K); areas: (T,) -> (T,)
Tensor keypoint_similarity(const Tensor& difference, const Tensor& visible, const Tensor& areas,
                           const std::vector<double>& sigmas) {
  const int64_t T = visible.size(0), K = visible.size(1);
  std::vector<double> factors;
  for (double s : sigmas) factors.push_back(1 / (8 * s * s));
  const Tensor spread = Tensor::from(factors, {1, K}).to(visible.dtype());
  const Tensor distance = sum(square(difference), {2}) * spread / reshape(areas + 1e-9, {T, 1});
  return sum(exp(-distance) * visible, {1}) / clamp(sum(visible, {1}), 1e-6, 1e9);
}

}  // namespace

EDPoseLossOptions read_edpose_loss(const Config& c, int64_t keypoints, const std::string& where) {
  EDPoseLossOptions o;
  if (!c.is_null()) {
    o.cls = c.get("cls_weight", o.cls);
    o.box = c.get("bbox_weight", o.box);
    o.giou = c.get("giou_weight", o.giou);
    o.points = c.get("keypoints_weight", o.points);
    o.oks = c.get("oks_weight", o.oks);
    o.denoising_cls = c.get("dn_cls_factor", o.denoising_cls);
    o.denoising_box = c.get("dn_bbox_factor", o.denoising_box);
    o.alpha = c.get("focal_alpha", o.alpha);
    if (c.has("sigmas")) o.sigmas = c.get<std::vector<double>>("sigmas");
    c.expect_all_read();
  }
  if (o.sigmas.empty() && keypoints == 17)
    o.sigmas.assign(std::begin(kCocoSigmas), std::end(kCocoSigmas));
  check_input(o.sigmas.empty() || int64_t(o.sigmas.size()) == keypoints, where,
              ".loss.sigmas: ", o.sigmas.size(), " numbers for ", keypoints, " key points");
  return o;
}

Tensor generalised_iou(const Tensor& a, const Tensor& b) {
  const Corners p(a), q(b);
  const auto extent = [](const Tensor& lo, const Tensor& hi) { return clamp(hi - lo, 0, 1e9); };
  const Tensor inner = extent(maximum(p.left, q.left), minimum(p.right, q.right)) *
                       extent(maximum(p.top, q.top), minimum(p.bottom, q.bottom));
  const Tensor outer = extent(minimum(p.left, q.left), maximum(p.right, q.right)) *
                       extent(minimum(p.top, q.top), maximum(p.bottom, q.bottom));
  const Tensor joint = p.area() + q.area() - inner;
  const Tensor giou = inner / (joint + 1e-9) - (outer - joint) / (outer + 1e-9);
  return reshape(giou, {a.size(0)});
}

EDPoseCriterion::EDPoseCriterion(const EDPoseLossOptions& o, std::span<const EDPoseTruth> truth,
                                 int64_t person)
    : options_(o), person_(person), first_{0} {
  const NoRecord no_record;
  std::vector<Tensor> boxes, points, visible, areas;
  std::vector<double> units;
  for (const EDPoseTruth& image : truth) {
    boxes.push_back(image.boxes);
    points.push_back(image.points);
    visible.push_back(image.visible);
    areas.push_back(image.areas);
    // Areas are in units of the image's area: x and y in units of its root fit them.
    for (int64_t i = 0; i < image.people(); ++i)
      units.insert(units.end(), {std::sqrt(image.aspect), 1 / std::sqrt(image.aspect)});
    first_.push_back(first_.back() + image.people());
  }
  const Device device = current_device();
  boxes_ = concat(boxes, 0).to(device);
  points_ = concat(points, 0).to(device);
  visible_ = is_positive(concat(visible, 0)).to(device);
  areas_ = concat(areas, 0).to(device);
  units_ = Tensor::from(units, {first_.back(), 1, 2}).to(boxes_.dtype());
  count_ = double(std::max<int64_t>(1, first_.back()));
}

// Hungarian matching of each image by itself, on costs that are the losses' terms.
EDPoseCriterion::Pairs EDPoseCriterion::match(const EDPosePredictions& found) const {
  const NoRecord no_record;
  Pairs pairs;
  const int64_t N = found.logits.size(0), Q = found.logits.size(1);
  for (int64_t n = 0; n < N; ++n) {
    const int64_t first = first_[size_t(n)], T = first_[size_t(n + 1)] - first;
    if (T == 0) continue;
    // Every query beside every person: rows (q, t).
    std::vector<int64_t> queries, people;
    for (int64_t q = 0; q < Q; ++q)
      for (int64_t t = 0; t < T; ++t) {
        queries.push_back(n * Q + q);
        people.push_back(first + t);
      }
    const Tensor person = indices(people);
    const Tensor p = sigmoid(slice(rows_of(found.logits, queries), 1, person_, person_ + 1));
    const Tensor yes = square(1 - p) * log(p + 1e-8) * -options_.alpha;
    const Tensor no = square(p) * log(1 - p + 1e-8) * (options_.alpha - 1);
    const Tensor boxes = rows_of(found.boxes, queries), wanted = index_select(boxes_, 0, person);
    Tensor cost = reshape(yes - no, {Q * T}) * options_.cls +
                  sum(abs(boxes - wanted), {1}) * options_.box -
                  generalised_iou(boxes, wanted) * options_.giou;
    if (found.points.defined()) {
      const Tensor difference = rows_of(found.points, queries) - index_select(points_, 0, person);
      const Tensor visible = index_select(visible_, 0, person);
      cost = cost + sum(sum(abs(difference), {2}) * visible, {1}) * options_.points;
      if (!options_.sigmas.empty())
        cost = cost - keypoint_similarity(difference * index_select(units_, 0, person), visible,
                                          index_select(areas_, 0, person), options_.sigmas) *
                          options_.oks;
    }
    const Tensor costs = cost.to(DType::f64).to(Device{});
    const std::vector<int64_t> person_of = assign_minimum(costs.span<double>(), Q, T);
    for (int64_t q = 0; q < Q; ++q) {
      if (person_of[size_t(q)] < 0) continue;
      pairs.queries.push_back(n * Q + q);
      pairs.people.push_back(first + person_of[size_t(q)]);
    }
  }
  return pairs;
}

// Sum over all queries and classes, divided by `count`.
Tensor EDPoseCriterion::focal(const Tensor& logits, const Pairs& pairs, double count) const {
  std::vector<float> of_pairs(size_t(logits.numel()));
  for (int64_t q : pairs.queries) of_pairs[size_t(q * logits.size(2) + person_)] = 1;
  const Tensor target = Tensor::from(of_pairs, logits.shape()).to(logits.dtype());
  const Tensor entropy = softplus(logits) - logits * target;
  const Tensor miss = abs(sigmoid(logits) - target);  // 1 - the probability of the truth
  const Tensor weight = target * (2 * options_.alpha - 1) + (1 - options_.alpha);
  return sum(entropy * square(miss) * weight) / count;
}

void EDPoseCriterion::add_boxes(const std::string& prefix, const Tensor& boxes, const Pairs& pairs,
                                double count, double weight, Losses& losses) const {
  const Tensor found = rows_of(boxes, pairs.queries);
  const Tensor wanted = index_select(boxes_, 0, indices(pairs.people));
  losses.emplace_back(prefix + "loss_bbox",
                      sum(abs(found - wanted)) * (weight * options_.box / count));
  losses.emplace_back(prefix + "loss_giou",
                      sum(1 - generalised_iou(found, wanted)) * (weight * options_.giou / count));
}

void EDPoseCriterion::add_points(const std::string& prefix, const Tensor& points,
                                 const Pairs& pairs, Losses& losses) const {
  const Tensor people = indices(pairs.people);
  const Tensor visible = index_select(visible_, 0, people);
  const Tensor difference = rows_of(points, pairs.queries) - index_select(points_, 0, people);
  const Tensor distances = sum(abs(difference), {2}) * visible;
  losses.emplace_back(prefix + "loss_keypoints", sum(distances) * (options_.points / count_));
  if (options_.sigmas.empty()) return;
  const Tensor oks = keypoint_similarity(difference * index_select(units_, 0, people), visible,
                                         index_select(areas_, 0, people), options_.sigmas);
  // People without a visible point have nothing to be similar to.
  const Tensor seen = is_positive(sum(visible, {1}));
  losses.emplace_back(prefix + "loss_oks", sum((1 - oks) * seen) * (options_.oks / count_));
}

void EDPoseCriterion::add(const std::string& prefix, const EDPosePredictions& found,
                          Losses& losses) const {
  const Pairs pairs = match(found);
  losses.emplace_back(prefix + "loss_cls", focal(found.logits, pairs, count_) * options_.cls);
  if (pairs.queries.empty()) return;
  add_boxes(prefix, found.boxes, pairs, count_, 1, losses);
  if (found.points.defined()) add_points(prefix, found.points, pairs, losses);
}

void EDPoseCriterion::add_denoising(const std::string& prefix, const Tensor& logits,
                                    const Tensor& boxes, const DenoisingQueries& queries,
                                    Losses& losses) const {
  Pairs pairs;
  const int64_t R = logits.size(1);
  for (size_t n = 0; n < queries.truth.size(); ++n)
    for (size_t q = 0; q < queries.truth[n].size(); ++q) {
      pairs.queries.push_back(int64_t(n) * R + int64_t(q));
      pairs.people.push_back(first_[n] + queries.truth[n][q]);
    }
  const double count = double(std::max<size_t>(1, pairs.queries.size()));
  losses.emplace_back(prefix + "loss_cls",
                      focal(logits, pairs, count) * (options_.cls * options_.denoising_cls));
  if (!pairs.queries.empty())
    add_boxes(prefix, boxes, pairs, count, options_.denoising_box, losses);
}

}  // namespace limber
