#include "pose/codecs/decoupled_heatmap.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tensor/op.h"

namespace limber {
namespace {

// A third of CornerNet's radius (Law and Deng 2018, arXiv 1808.01244), as its published code has
// it: there the roots of the three quadratics, for corners that move apart, together and alike, are
// not divided by the leading coefficient, and the first two are the larger ones. So the third
// decides.
double sigma_of_box(double width, double height, double overlap) {
  const double b1 = height + width, c1 = width * height * (1 - overlap) / (1 + overlap);
  const double b2 = 2 * (height + width), c2 = (1 - overlap) * width * height;
  const double b3 = -2 * overlap * (height + width), c3 = (overlap - 1) * width * height;
  const double r1 = (b1 + std::sqrt(b1 * b1 - 4 * c1)) / 2;
  const double r2 = (b2 + std::sqrt(b2 * b2 - 16 * c2)) / 2;
  const double r3 = (b3 + std::sqrt(b3 * b3 - 16 * overlap * c3)) / 2;
  return std::min({r1, r2, r3}) / 3;
}

// Rows `chosen` of points, in that order.
EncodePoints select(const EncodePoints& points, const std::vector<int64_t>& chosen) {
  EncodePoints out{Tensor::empty({int64_t(chosen.size()), points.count, 2}),
                   Tensor::empty({int64_t(chosen.size()), points.count}), int64_t(chosen.size()),
                   points.count};
  for (size_t i = 0; i < chosen.size(); ++i) {
    std::copy_n(points.at(chosen[i], 0), points.count * 2,
                out.keypoints.data<float>() + int64_t(i) * points.count * 2);
    std::copy_n(points.visible.data<float>() + chosen[i] * points.count, points.count,
                out.visible.data<float>() + int64_t(i) * points.count);
  }
  return out;
}

// Each instance's points followed by its root.
EncodePoints with_roots(const EncodePoints& points, const EncodePoints& roots) {
  EncodePoints out{Tensor::empty({points.instances, points.count + 1, 2}),
                   Tensor::empty({points.instances, points.count + 1}), points.instances,
                   points.count + 1};
  for (int64_t n = 0; n < points.instances; ++n) {
    float* xy = out.keypoints.data<float>() + n * out.count * 2;
    float* visible = out.visible.data<float>() + n * out.count;
    std::copy_n(points.at(n, 0), points.count * 2, xy);
    std::copy_n(roots.at(n, 0), 2, xy + points.count * 2);
    std::copy_n(points.visible.data<float>() + n * points.count, points.count, visible);
    visible[points.count] = roots.visibility(n, 0);
  }
  return out;
}

struct Chosen {
  std::vector<int64_t> instances;
  std::vector<std::array<int32_t, 2>> roots;
};

// Visits the instances from the smallest on; a root shifts by at most a pixel, and two instances
// never share one.
Chosen choose_instances(const EncodePoints& roots, const float* root_weights, int64_t step,
                        const std::vector<float>& diagonals, Size size, Random& random) {
  std::vector<int64_t> order(size_t(roots.instances));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return diagonals[size_t(a)] < diagonals[size_t(b)];
  });
  Chosen chosen;
  for (int64_t n : order) {
    if (root_weights[n * step] < 1) continue;
    const auto jitter = [&](float v, int64_t extent) {
      return int32_t(std::clamp(v + float(random.integer(-1, 2)), 0.0f, float(extent - 1)));
    };
    const int32_t x = jitter(roots.at(n, 0)[0], size.width);
    const int32_t y = jitter(roots.at(n, 0)[1], size.height);
    const std::array<int32_t, 2> pixel = {x, y};
    if (std::find(chosen.roots.begin(), chosen.roots.end(), pixel) != chosen.roots.end()) continue;
    chosen.roots.push_back(pixel);
    chosen.instances.push_back(n);
  }
  return chosen;
}

// Keeps `count` of them, each set equally likely.
void keep_some(Chosen& chosen, size_t count, Random& random) {
  for (size_t i = 0; i < count; ++i) {
    const size_t j = size_t(random.integer(int64_t(i), int64_t(chosen.instances.size())));
    std::swap(chosen.instances[i], chosen.instances[j]);
    std::swap(chosen.roots[i], chosen.roots[j]);
  }
  chosen.instances.resize(count);
  chosen.roots.resize(count);
}

}  // namespace

DecoupledHeatmap::DecoupledHeatmap(const Config& config)
    : heatmap_size_(read_size(config, "heatmap_size")),
      root_type_(read_root_type(config)),
      min_overlap_(config.get("heatmap_min_overlap", 0.7)),
      max_instances_(config.get("encode_max_instances", 30)) {
  const Size input = read_size(config, "input_size");
  scale_x_ = double(input.width) / double(heatmap_size_.width);
  scale_y_ = double(input.height) / double(heatmap_size_.height);
  check_input(min_overlap_ > 0 && min_overlap_ < 1, config.path(),
              ".heatmap_min_overlap: must lie between 0 and 1, not ", min_overlap_);
}

std::vector<double> DecoupledHeatmap::instance_sigmas(const EncodeInput& input,
                                                      const EncodePoints& points) const {
  std::vector<double> sigmas;
  if (!input.bboxes.defined()) {
    for (const auto& [x1, y1, x2, y2] : visible_boxes(points))
      sigmas.push_back(sigma_of_box(x2 - x1, y2 - y1, min_overlap_));
    return sigmas;
  }
  const Shape& shape = input.bboxes.shape();
  const int64_t width = shape.rank() == 3 ? shape[1] * shape[2] : shape[-1];
  check((shape.rank() == 2 || shape.rank() == 3) && shape[0] == points.instances &&
            (width == 4 || width == 8),
        "DecoupledHeatmap: boxes ", shape, " for ", points.instances,
        " instances, (N, 4), (N, 8) or (N, 4, 2) is wanted");
  const Tensor boxes = input.bboxes.to(DType::f32);
  for (int64_t n = 0; n < points.instances; ++n) {
    const float* b = boxes.data<float>() + n * width;
    // Corners come as top left, bottom left, top right, bottom right, maybe turned or mirrored.
    const bool corners = width == 8;
    const double ax = b[2] - b[0], ay = corners ? b[3] - b[1] : 0;
    const double bx = corners ? b[4] - b[0] : 0, by = corners ? b[5] - b[1] : b[3] - b[1];
    sigmas.push_back(sigma_of_box(std::hypot(ax / scale_x_, ay / scale_y_),
                                  std::hypot(bx / scale_x_, by / scale_y_), min_overlap_));
  }
  return sigmas;
}

TensorLists DecoupledHeatmap::encode(const EncodeInput& input) const {
  const EncodePoints points =
      scaled(read_points(input, "DecoupledHeatmap"), 1 / scale_x_, 1 / scale_y_);
  check(input.random != nullptr,
        "DecoupledHeatmap: encode draws random numbers and was given no "
        "generator");
  const EncodePoints roots = instance_roots(points, root_type_);
  const std::vector<double> sigmas = instance_sigmas(input, points);
  const int64_t width = heatmap_size_.width, height = heatmap_size_.height, count = points.count;
  const MapTargets all = drawn(gaussians(heatmap_size_, with_roots(points, roots), sigmas));

  Chosen chosen = choose_instances(roots, all.weights.data<float>() + count, count + 1,
                                   diagonal_lengths(points), heatmap_size_, *input.random);
  if (int64_t(chosen.instances.size()) > max_instances_)
    keep_some(chosen, size_t(max_instances_), *input.random);

  const int64_t kept = int64_t(chosen.instances.size());
  Tensor maps = Tensor::empty({kept * count, height, width});
  Tensor weights = Tensor::empty({kept, count});
  Tensor coords = Tensor::empty({kept, 2}, DType::i32);
  for (int64_t i = 0; i < kept; ++i) {
    const int64_t n = chosen.instances[size_t(i)];
    const MapTargets one =
        drawn(gaussians(heatmap_size_, select(points, {n}), {&sigmas[size_t(n)], 1}));
    maps.alias(one.maps.shape(), i * one.maps.numel()).copy_from(one.maps);
    weights.alias(one.weights.shape(), i * count).copy_from(one.weights);
    std::copy_n(chosen.roots[size_t(i)].data(), 2, coords.data<int32_t>() + 2 * i);
  }
  return {{"heatmaps", {all.maps}},
          {"instance_heatmaps", {maps}},
          {"keypoint_weights", {weights}},
          {"instance_coords", {coords}}};
}

Decoded DecoupledHeatmap::decode(std::span<const Tensor> encoded) const {
  check_count(encoded, 2, 2, "DecoupledHeatmap", "instance_heatmaps and instance_scores");
  const Shape& shape = encoded[0].shape();
  const int64_t instances = encoded[1].numel();
  const int64_t planes = shape.rank() == 4 ? shape[0] * shape[1] : shape[0];
  check((shape.rank() == 3 || shape.rank() == 4) && (instances == 0 || planes % instances == 0),
        "DecoupledHeatmap: maps ", shape, " for ", instances, " instances, (M K, h, w) is wanted");
  const int64_t count = instances == 0 ? 0 : planes / instances;
  Decoded decoded;
  if (instances == 0) {
    decoded.keypoints = Tensor::zeros({0, 0, 2});
    decoded.scores = Tensor::zeros({0, 0});
    return decoded;
  }
  const Tensor maps = encoded[0].to(DType::f32).alias({planes, shape[-2], shape[-1]});
  const Tensor root_scores = encoded[1].to(DType::f32);
  const Peaks peaks{Tensor::empty({planes, 2}), Tensor::empty({planes})};
  kernels::parallel_for(default_exec(), planes, 1, [&](int64_t begin, int64_t end) {
    const int64_t height = maps.size(1), width = maps.size(2);
    find_peaks({maps.data<float>() + begin * height * width, end - begin, height, width},
               peaks.locations.data<float>() + 2 * begin, peaks.values.data<float>() + begin);
  });
  refine_by_neighbours(peaks.locations.alias({1, planes, 2}), maps);
  scale_points(peaks.locations, scale_x_, scale_y_);
  for (int64_t i = 0; i < planes; ++i)
    peaks.values.data<float>()[i] *= root_scores.data<float>()[i / count];
  decoded.keypoints = peaks.locations.alias({instances, count, 2});
  decoded.scores = peaks.values.alias({instances, count});
  return decoded;
}

std::map<std::string, std::string> DecoupledHeatmap::label_mapping() const {
  return {{"keypoint_weights", "keypoint_weights"}, {"instance_coords", "instance_coords"}};
}

std::map<std::string, std::string> DecoupledHeatmap::field_mapping() const {
  return {{"heatmaps", "heatmaps"}, {"instance_heatmaps", "instance_heatmaps"}};
}

}  // namespace limber
