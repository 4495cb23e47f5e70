#include "pose/codecs/associative_embedding.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>

#include "pose/codecs/blur.h"
#include "pose/core/assignment.h"
#include "tensor/op.h"

namespace limber {
namespace {

// The rounded distance whose square this is.
double rounded_root(double square) {
  return square <= 0.25 ? 0 : std::nearbyint(std::sqrt(square));
}

// body(i) for i < count, on several threads.
template <class Body>
void for_each(size_t count, const Body& body) {
  kernels::parallel_for(default_exec(), int64_t(count), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) body(size_t(i));
  });
}

}  // namespace

// Heat maps and tags of one sample.
struct AssociativeEmbedding::Maps {
  Tensor heatmaps, tags;  // (K, H, W), (L K, H, W)
  int64_t count, dims;    // K, L
  Size size;
  const float *heat_values = nullptr, *tag_values = nullptr;  // of both
  bool logs = false;  // heatmaps are blurred for UDP's refinement

  const float* heat(int64_t k) const { return heat_values + k * area(); }
  const float* tags_of(int64_t k, int64_t l) const { return tag_values + (l * count + k) * area(); }
  float tag(int64_t k, int64_t l, int64_t pixel) const { return tags_of(k, l)[pixel]; }
  int64_t area() const { return size.width * size.height; }
  // What joints that are filled in are chosen and scored by. The reference's UDP refinement leaves
  // its logarithms in the heat maps; here they are taken where they are asked for.
  float shown(float heat_value) const { return logs ? dark_udp_log(heat_value) : heat_value; }
  // |tag at pixel - tag|^2.
  double square(int64_t k, int64_t pixel, const std::vector<double>& to) const {
    double square = 0;
    for (int64_t l = 0; l < dims; ++l) {
      const double d = tag(k, l, pixel) - to[size_t(l)];
      square += d * d;
    }
    return square;
  }
  double distance(int64_t k, int64_t pixel, const std::vector<double>& to) const {
    return std::sqrt(square(k, pixel, to));
  }
};

// Bounds of one key point's map in square blocks, so that a search for the pixel that suits a
// person best need not look into most of them.
class AssociativeEmbedding::Blocks {
 public:
  Blocks(const Maps& maps, int64_t k) : maps_(maps), k_(k) {
    const auto [width, height] = maps.size;
    columns_ = (width + kSide - 1) / kSide;
    const int64_t count = columns_ * ((height + kSide - 1) / kSide);
    const std::vector<Bounds> heat = bounds_of(maps.heat(k));
    std::vector<std::pair<float, int32_t>> order;
    for (int32_t block = 0; block < count; ++block)
      order.emplace_back(heat[size_t(block)].high, block);
    std::ranges::sort(order, std::greater<>(), &std::pair<float, int32_t>::first);
    // In the order in which they are searched.
    for (const auto& [high, block] : order) {
      hottest_.push_back(block);
      heat_.push_back(maps.shown(high));  // monotone
    }
    tags_.resize(size_t(count * maps.dims));
    for (int64_t l = 0; l < maps.dims; ++l) {
      const std::vector<Bounds> tag = bounds_of(maps.tags_of(k, l));
      for (size_t i = 0; i < hottest_.size(); ++i)
        tags_[i * size_t(maps.dims) + size_t(l)] = tag[size_t(hottest_[i])];
    }
  }

  // The first pixel of the least cost: the rounded distance of tags counts first, then the heat.
  int64_t best_pixel(const std::vector<double>& tag) const {
    double least = std::numeric_limits<double>::infinity(), far = least, reach = least;
    int64_t best = 0;
    for (size_t i = 0; i < hottest_.size(); ++i) {
      if (-double(heat_[i]) > least) break;  // nor is any block after it better
      // Most blocks are too far away in the first number of the tag alone.
      const Bounds& range = tags_[i * tag.size()];
      if (double(range.low) - tag[0] > reach || tag[0] - double(range.high) > reach) continue;
      const double square = least_square(i, tag);
      if (square > far || rounded_root(square) * 100 - double(heat_[i]) > least) continue;
      for_pixels(hottest_[i], [&](int64_t pixel) {
        const double heat = double(maps_.shown(maps_.heat(k_)[pixel]));
        const double apart = maps_.square(k_, pixel, tag);
        if (-heat > least || apart > far) return;
        const double cost = rounded_root(apart) * 100 - heat;
        if (cost > least || (cost == least && pixel > best) || std::isnan(cost)) return;
        least = cost;
        best = pixel;
        // Tags that round to more than this cost more even where it is hottest. A little is added
        // for what the square and the root round.
        reach = (std::floor((least + double(heat_[0])) / 100) + 0.5) * (1 + 1e-12);
        far = reach * reach;
      });
    }
    return best;
  }

 private:
  static constexpr int64_t kSide = 4;

  struct Bounds {
    float low = std::numeric_limits<float>::infinity(), high = -low;
  };

  // Of one map, block by block.
  std::vector<Bounds> bounds_of(const float* map) const {
    const auto [width, height] = maps_.size;
    std::vector<Bounds> all(size_t(columns_ * ((height + kSide - 1) / kSide)));
    for (int64_t y = 0; y < height; ++y, map += width) {
      Bounds* to = all.data() + y / kSide * columns_;
      const auto widen = [&](int64_t begin, auto count) {
        Bounds b = *to;
        for (int64_t i = 0; i < count; ++i) {
          b.low = std::min(b.low, map[begin + i]);
          b.high = std::max(b.high, map[begin + i]);
        }
        *to++ = b;
      };
      int64_t x = 0;
      for (; x + kSide <= width; x += kSide) widen(x, std::integral_constant<int64_t, kSide>());
      if (x < width) widen(x, width - x);
    }
    return all;
  }

  template <class Body>
  void for_pixels(int64_t block, const Body& body) const {
    const auto [width, height] = maps_.size;
    const int64_t x0 = block % columns_ * kSide, y0 = block / columns_ * kSide;
    for (int64_t y = y0; y < std::min(height, y0 + kSide); ++y)
      for (int64_t x = x0; x < std::min(width, x0 + kSide); ++x) body(y * width + x);
  }

  // The square of a tag's distance from all tags of block i in the order of search, which no pixel
  // of it falls below; rounding is monotone, so this holds to the bit.
  double least_square(size_t i, const std::vector<double>& tag) const {
    double square = 0;
    for (size_t l = 0; l < tag.size(); ++l) {
      const Bounds& range = tags_[i * tag.size() + l];
      const double below = double(range.low) - tag[l], above = tag[l] - double(range.high);
      const double away = below > 0 ? below : above > 0 ? above : 0;
      square += away * away;
    }
    return square;
  }

  const Maps& maps_;
  int64_t k_, columns_;
  std::vector<int32_t> hottest_;  // blocks by their largest heat, descending
  std::vector<float> heat_;       // per block in this order: that heat
  std::vector<Bounds> tags_;      // and the bounds of each tag
};

// A person in the making.
struct AssociativeEmbedding::Group {
  float key;                      // the first tag of the candidate that it began with
  std::vector<float> xy, scores;  // (K, 2), (K); score 0: not found
  std::vector<double> tag_sum;    // (L)
  int tags = 0;

  Group(const Maps& maps, float first_tag)
      : key(first_tag),
        xy(size_t(2 * maps.count)),
        scores(size_t(maps.count)),
        tag_sum(size_t(maps.dims)) {}
  void add(int64_t k, const LocalMaximum& candidate, const Maps& maps) {
    xy[size_t(2 * k)] = float(candidate.x);
    xy[size_t(2 * k + 1)] = float(candidate.y);
    scores[size_t(k)] = candidate.value;
    for (int64_t l = 0; l < maps.dims; ++l)
      tag_sum[size_t(l)] += maps.tag(k, l, candidate.y * maps.size.width + candidate.x);
    ++tags;
  }
  void forget_tags() {
    std::ranges::fill(tag_sum, 0);
    tags = 0;
  }
  std::vector<double> mean_tag() const {
    std::vector<double> mean = tag_sum;
    for (double& v : mean) v /= tags;
    return mean;
  }
};

AssociativeEmbedding::AssociativeEmbedding(const Config& config)
    : heatmap_size_(read_size(config, "heatmap_size")),
      use_udp_(config.get("use_udp", false)),
      order_(config.get("decode_keypoint_order", std::vector<int64_t>{})),
      nms_kernel_(config.get("decode_nms_kernel", 5)),
      blur_kernel_(config.get("decode_gaussian_kernel", 3)),
      top_k_(config.get("decode_topk", 30)),
      max_instances_(config.get("decode_max_instances", std::numeric_limits<int>::max())),
      threshold_(config.get("decode_keypoint_thr", 0.1)),
      tag_threshold_(config.get("decode_tag_thr", 1.0)),
      center_shift_(config.get("decode_center_shift", 0.0)) {
  const Size input = read_size(config, "input_size");
  const double off = use_udp_ ? 1 : 0;
  scale_x_ = (double(input.width) - off) / (double(heatmap_size_.width) - off);
  scale_y_ = (double(input.height) - off) / (double(heatmap_size_.height) - off);
  sigma_ = config.get("sigma", std::sqrt(double(heatmap_size_.width * heatmap_size_.height)) / 64);
}

TensorLists AssociativeEmbedding::encode(const EncodeInput& input) const {
  const EncodePoints points =
      scaled(read_points(input, "AssociativeEmbedding"), 1 / scale_x_, 1 / scale_y_);
  const MapTargets targets = drawn(use_udp_ ? udp_gaussians(heatmap_size_, points, sigma_)
                                            : gaussians(heatmap_size_, points, {&sigma_, 1}));
  Tensor indices = Tensor::empty({points.instances, points.count, 2}, DType::i64);
  int64_t* entry = indices.data<int64_t>();
  for (int64_t n = 0; n < points.instances; ++n)
    for (int64_t k = 0; k < points.count; ++k, entry += 2) {
      const float* p = points.at(n, k);
      const int64_t x = int64_t(p[0] + 0.5f), y = int64_t(p[1] + 0.5f);
      const bool inside = x >= 0 && x < heatmap_size_.width && y >= 0 && y < heatmap_size_.height;
      entry[0] = y * heatmap_size_.width + x;
      entry[1] = points.visibility(n, k) > 0.5f && inside;
    }
  return {{"heatmaps", {targets.maps}},
          {"keypoint_indices", {indices}},
          {"keypoint_weights", {targets.weights}}};
}

// Pairs the candidates of key point k with the groups so far: the rounded tag distance counts
// first, then the score. What finds no group near enough starts one, or, as in the reference, takes
// over the group that began with the same tag: at the border of enlarged maps, two pixels are equal
// maxima with equal tags.
void AssociativeEmbedding::join(std::vector<Group>& groups,
                                const std::vector<LocalMaximum>& candidates, int64_t k,
                                const Maps& maps) const {
  const int64_t rows = int64_t(candidates.size()), known = int64_t(groups.size());
  // More candidates than groups: columns of no group, dearer than any, take the rest.
  const int64_t columns = std::max(rows, known);
  std::vector<double> distances(size_t(rows * known)), costs(size_t(rows * columns), 1e10);
  for (int64_t g = 0; g < known; ++g) {
    const std::vector<double> tag = groups[size_t(g)].mean_tag();
    for (int64_t i = 0; i < rows; ++i) {
      const LocalMaximum& candidate = candidates[size_t(i)];
      const double d = maps.distance(k, candidate.y * maps.size.width + candidate.x, tag);
      distances[size_t(i * known + g)] = d;
      costs[size_t(i * columns + g)] = std::nearbyint(d) * 100 - double(candidate.value);
    }
  }
  const std::vector<int64_t> matches = assign_by_covering(costs, rows, columns);
  for (int64_t i = 0; i < rows; ++i) {
    const LocalMaximum& candidate = candidates[size_t(i)];
    const int64_t g = matches[size_t(i)];
    if (g < known && distances[size_t(i * known + g)] < tag_threshold_) {
      groups[size_t(g)].add(k, candidate, maps);
      continue;
    }
    const float key = maps.tag(k, 0, candidate.y * maps.size.width + candidate.x);
    const auto same = std::ranges::find(groups, key, &Group::key);
    Group& group = same == groups.end() ? groups.emplace_back(maps, key) : *same;
    group.forget_tags();
    group.add(k, candidate, maps);
  }
}

std::vector<AssociativeEmbedding::Group> AssociativeEmbedding::group(const Maps& maps) const {
  std::vector<int64_t> order = order_;
  if (order.empty()) {
    order.resize(size_t(maps.count));
    std::iota(order.begin(), order.end(), 0);
  }
  for (int64_t k : order)
    check(k >= 0 && k < maps.count, "AssociativeEmbedding: decode_keypoint_order names key point ",
          k, " of ", maps.count);
  std::vector<std::vector<LocalMaximum>> candidates(order.size());
  for_each(order.size(), [&](size_t i) {
    candidates[i] =
        top_local_maxima(maps.heat(order[i]), maps.size, nms_kernel_, top_k_, float(threshold_));
  });
  std::vector<Group> groups;
  for (size_t i = 0; i < order.size(); ++i)
    if (!candidates[i].empty()) join(groups, candidates[i], order[i], maps);
  if (int64_t(groups.size()) > max_instances_)
    groups.erase(groups.begin() + max_instances_, groups.end());
  return groups;
}

void AssociativeEmbedding::fill_missing(const Tensor& keypoints, const Tensor& scores,
                                        const Maps& maps) const {
  const auto [width, height] = maps.size;
  const size_t people = size_t(keypoints.size(0)), count = size_t(maps.count);
  float *xy = keypoints.data<float>(), *score = scores.data<float>();
  std::vector<std::vector<double>> tags(people, std::vector<double>(size_t(maps.dims)));
  for (size_t n = 0; n < people; ++n) {
    int found = 0;
    for (size_t k = 0; k < count; ++k) {
      const float* point = xy + 2 * (n * count + k);
      if (score[n * count + k] <= 0) continue;
      const int64_t x = std::clamp<int64_t>(int64_t(point[0]), 0, width - 1);
      const int64_t y = std::clamp<int64_t>(int64_t(point[1]), 0, height - 1);
      for (int64_t l = 0; l < maps.dims; ++l)
        tags[n][size_t(l)] += maps.tag(int64_t(k), l, y * width + x);
      ++found;
    }
    for (double& v : tags[n]) v /= found;
  }
  for_each(count, [&](size_t k) {
    std::optional<Blocks> blocks;
    for (size_t n = 0; n < people; ++n) {
      float* point = xy + 2 * (n * count + k);
      if (score[n * count + k] > 0) continue;
      if (!blocks) blocks.emplace(maps, int64_t(k));
      const int64_t best = blocks->best_pixel(tags[n]);
      point[0] = float(best % width);
      point[1] = float(best / width);
      score[n * count + k] = maps.shown(maps.heat(int64_t(k))[best]);
    }
  });
}

Decoded AssociativeEmbedding::decode(std::span<const Tensor> encoded) const {
  check_count(encoded, 2, 2, "AssociativeEmbedding", "heatmaps and tags");
  Maps maps{read_maps(encoded[0], "AssociativeEmbedding"),
            read_maps(encoded[1], "AssociativeEmbedding"),
            0,
            0,
            {}};
  maps.count = maps.heatmaps.size(0);
  maps.dims = maps.tags.size(0) / maps.count;
  maps.size = {maps.heatmaps.size(2), maps.heatmaps.size(1)};
  check(maps.tags.shape() == maps.heatmaps.shape().with(0, maps.dims * maps.count) && maps.dims > 0,
        "AssociativeEmbedding: heatmaps ", maps.heatmaps.shape(), " and tags ", maps.tags.shape(),
        ", (K, H, W) and (L K, H, W) are wanted");
  maps.heat_values = maps.heatmaps.data<float>();
  maps.tag_values = maps.tags.data<float>();
  const std::vector<Group> groups = group(maps);
  const int64_t people = int64_t(groups.size());
  Decoded decoded;
  decoded.keypoints = Tensor::empty({people, maps.count, 2});
  decoded.scores = Tensor::empty({people, maps.count});
  decoded.instance_scores = Tensor::empty({people});
  for (int64_t n = 0; n < people; ++n) {
    std::copy(groups[size_t(n)].xy.begin(), groups[size_t(n)].xy.end(),
              decoded.keypoints.data<float>() + n * maps.count * 2);
    std::copy(groups[size_t(n)].scores.begin(), groups[size_t(n)].scores.end(),
              decoded.scores.data<float>() + n * maps.count);
  }
  if (use_udp_) {
    refine_dark_udp(decoded.keypoints, maps.heatmaps, blur_kernel_);
  } else {
    refine_by_neighbours(decoded.keypoints, maps.heatmaps);
  }
  for (int64_t i = 0; i < people * maps.count; ++i) {
    if (decoded.scores.data<float>()[i] <= 0) continue;
    decoded.keypoints.data<float>()[2 * i] += float(center_shift_);
    decoded.keypoints.data<float>()[2 * i + 1] += float(center_shift_);
  }
  // Joints not found count as 0 in their person's score, also where they are filled in below.
  for (int64_t n = 0; n < people; ++n) {
    double sum = 0;
    for (int64_t k = 0; k < maps.count; ++k)
      sum += decoded.scores.data<float>()[n * maps.count + k];
    decoded.instance_scores.data<float>()[n] = float(sum / double(maps.count));
  }
  if (use_udp_ && people > 0) {
    maps.heatmaps = blur_keeping_peak(maps.heatmaps, blur_kernel_);
    maps.heat_values = maps.heatmaps.data<float>();
    maps.logs = true;
  }
  fill_missing(decoded.keypoints, decoded.scores, maps);
  scale_points(decoded.keypoints, scale_x_, scale_y_);
  return decoded;
}

std::map<std::string, std::string> AssociativeEmbedding::label_mapping() const {
  return {{"keypoint_indices", "keypoint_indices"}, {"keypoint_weights", "keypoint_weights"}};
}

std::map<std::string, std::string> AssociativeEmbedding::field_mapping() const {
  return {{"heatmaps", "heatmaps"}};
}

}  // namespace limber
