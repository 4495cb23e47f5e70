#include "pose/codecs/instance_ops.h"

#include <algorithm>
#include <cmath>

#include "pose/core/pieces.h"

namespace limber {

RootType read_root_type(const Config& config) {
  const auto type = config.get<std::string>("root_type", "kpt_center");
  check_choice(config, "root_type", type, {"kpt_center", "bbox_center"});
  return type == "kpt_center" ? RootType::keypoint_center : RootType::bbox_center;
}

std::vector<std::array<float, 4>> visible_boxes(const EncodePoints& points) {
  std::vector<std::array<float, 4>> boxes(size_t(points.instances), std::array<float, 4>{});
  for (int64_t n = 0; n < points.instances; ++n) {
    bool first = true;
    auto& [x1, y1, x2, y2] = boxes[size_t(n)];
    for (int64_t k = 0; k < points.count; ++k) {
      if (points.visibility(n, k) <= 0) continue;
      const float* p = points.at(n, k);
      x1 = first ? p[0] : std::min(x1, p[0]);
      y1 = first ? p[1] : std::min(y1, p[1]);
      x2 = first ? p[0] : std::max(x2, p[0]);
      y2 = first ? p[1] : std::max(y2, p[1]);
      first = false;
    }
  }
  return boxes;
}

EncodePoints instance_roots(const EncodePoints& points, RootType type) {
  EncodePoints roots{Tensor::zeros({points.instances, 1, 2}), Tensor::zeros({points.instances, 1}),
                     points.instances, 1};
  const auto boxes = visible_boxes(points);
  for (int64_t n = 0; n < points.instances; ++n) {
    double x = 0, y = 0;
    int seen = 0;
    for (int64_t k = 0; k < points.count; ++k) {
      if (points.visibility(n, k) <= 0) continue;
      x += points.at(n, k)[0];
      y += points.at(n, k)[1];
      ++seen;
    }
    if (seen == 0) continue;
    const auto& box = boxes[size_t(n)];
    const bool mean = type == RootType::keypoint_center;
    float* root = roots.keypoints.data<float>() + 2 * n;
    root[0] = mean ? float(x / seen) : 0.5f * (box[0] + box[2]);
    root[1] = mean ? float(y / seen) : 0.5f * (box[1] + box[3]);
    roots.visible.data<float>()[n] = 1;
  }
  return roots;
}

std::vector<float> diagonal_lengths(const EncodePoints& points) {
  std::vector<float> lengths;
  for (const auto& [x1, y1, x2, y2] : visible_boxes(points))
    lengths.push_back(std::hypot(x2 - x1, y2 - y1));
  return lengths;
}

Displacements draw_displacements(Size size, const EncodePoints& points, const EncodePoints& roots,
                                 const std::vector<float>& diagonals, double radius) {
  const Shape shape{2 * points.count, size.height, size.width};
  Displacements d{Tensor::zeros(shape), Tensor::zeros(shape)};
  const int64_t area = size.width * size.height;
  // The extent of whoever a pixel belongs to, per key point.
  std::vector<float> owner(static_cast<size_t>(area));
  for (int64_t n = 0; n < points.instances; ++n) {
    if (roots.visibility(n, 0) < 1) continue;
    const float* root = roots.at(n, 0);
    const float diagonal = diagonals[size_t(n)];
    const int64_t x0 = std::max<int64_t>(0, int64_t(root[0] - radius));
    const int64_t y0 = std::max<int64_t>(0, int64_t(root[1] - radius));
    const int64_t x1 = std::min(size.width, int64_t(root[0] + radius));
    const int64_t y1 = std::min(size.height, int64_t(root[1] + radius));
    for (int64_t k = 0; k < points.count; ++k) {
      if (points.visibility(n, k) <= 0) continue;
      const float* p = points.at(n, k);
      if (!(p[0] >= 0 && p[1] >= 0 && p[0] < float(size.width) && p[1] < float(size.height)))
        continue;
      float* dx = d.maps.data<float>() + 2 * k * area;
      float* weight = d.weights.data<float>() + 2 * k * area;
      for (int64_t y = y0; y < y1; ++y)
        for (int64_t x = x0; x < x1; ++x) {
          const int64_t i = y * size.width + x;
          const bool taken = dx[i] != 0 || dx[area + i] != 0;
          if (taken && diagonal > owner[size_t(i)]) continue;
          dx[i] = p[0] - float(x);
          dx[area + i] = p[1] - float(y);
          weight[i] = weight[area + i] = 1 / diagonal;
          owner[size_t(i)] = diagonal;
        }
    }
  }
  return d;
}

namespace {

struct Ranked {
  float value;
  int32_t pixel;
};

// Whether `count` of so many are found by partial sorting.
bool by_heap(int64_t count, int64_t of) { return count * 64 <= of; }

// The `count` largest first, descending. Equal ones come as these algorithms leave them: so does
// torch.topk, whose choice among equal maxima decides who is found.
void rank(std::vector<Ranked>& all, int64_t count, bool heap) {
  const auto before = [](const Ranked& a, const Ranked& b) {
    return (std::isnan(a.value) && !std::isnan(b.value)) || a.value > b.value;
  };
  const auto end = all.begin() + count;
  if (heap) {
    std::partial_sort(all.begin(), end, all.end(), before);
  } else {
    std::nth_element(all.begin(), end - 1, all.end(), before);
    std::sort(all.begin(), end - 1, before);
  }
}

// Each of `to` becomes the larger of both, which do not overlap.
void raise(float* to, const float* from, int64_t count) {
  for_pieces(count, [&](int64_t i, auto n) {
    float larger[kPiece];
    for (int64_t j = 0; j < n; ++j) larger[j] = from[i + j] > to[i + j] ? from[i + j] : to[i + j];
    std::copy_n(larger, int64_t(n), to + i);
  });
}

// body(y, largest): of each pixel of row y the largest value of the map within r pixels, along rows
// and then along columns. The rows of a window stay in the first-level cache.
template <class Body>
void for_window_maxima(const float* map, Size size, int64_t r, const Body& body) {
  const auto [W, H] = size;
  const int64_t kept = 2 * r + 1;
  std::vector<float> ring(size_t(kept * W)), largest(static_cast<size_t>(W));
  const auto row = [&](int64_t y) { return ring.data() + y % kept * W; };
  const auto along = [&](int64_t y) {
    const float* from = map + y * W;
    std::copy_n(from, W, row(y));
    for (int64_t d = 1; d <= std::min(r, W - 1); ++d) {
      raise(row(y), from + d, W - d);
      raise(row(y) + d, from, W - d);
    }
  };
  for (int64_t y = 0; y < std::min(r, H); ++y) along(y);
  for (int64_t y = 0; y < H; ++y) {
    if (y + r < H) along(y + r);
    std::copy_n(row(y), W, largest.data());
    for (int64_t s = std::max<int64_t>(0, y - r); s <= std::min(H - 1, y + r); ++s)
      if (s != y) raise(largest.data(), row(s), W);
    body(y, largest.data());
  }
}

}  // namespace

std::vector<LocalMaximum> top_local_maxima(const float* map, Size size, int kernel, int count,
                                           float threshold) {
  const int64_t area = size.width * size.height, wanted = std::min<int64_t>(count, area);
  // Also those below the threshold, which is applied last: the order of equal ones depends on all.
  // Few of many are ranked by a heap that begins with the first ones, and which nothing enters that
  // is not above the least of these.
  const bool heap = by_heap(wanted, area);
  std::vector<Ranked> all;
  float least = 0;
  for_window_maxima(map, size, kernel / 2, [&](int64_t y, const float* largest) {
    for_pieces(size.width, [&](int64_t x, auto n) {
      const int64_t first = y * size.width + x;
      const float* here = map + first;
      int peaks = 0;
      for (int64_t j = 0; j < n; ++j) peaks |= (here[j] >= largest[x + j]) & (here[j] > 0);
      if (peaks == 0 && heap && least == 0 && first >= wanted) return;  // nothing enters
      for (int64_t j = 0; j < n; ++j) {
        const Ranked r{here[j] >= largest[x + j] ? here[j] : 0, int32_t(first + j)};
        if (first + j < wanted) least = std::min(least, r.value);
        if (first + j < wanted || !heap || !(r.value <= least)) all.push_back(r);
      }
    });
  });
  if (wanted > 0) rank(all, wanted, heap);
  std::vector<LocalMaximum> found;
  for (int64_t i = 0; i < wanted && all[size_t(i)].value > threshold; ++i)
    found.push_back({all[size_t(i)].pixel % size.width, all[size_t(i)].pixel / size.width,
                     all[size_t(i)].value});
  return found;
}

}  // namespace limber
