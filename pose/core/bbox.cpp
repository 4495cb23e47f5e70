#include "pose/core/bbox.h"

#include <algorithm>
#include <cmath>

namespace limber {
namespace {

void check_boxes(const Tensor& t, int64_t last, const char* op) {
  check(t.defined() && t.dtype() == DType::f32 && t.rank() >= 1 && t.size(-1) == last, op,
        ": needs an f32 tensor with ", last, " numbers per row");
}

// Calls f(in, out) for each row of the last dimension.
template <class F>
Tensor by_row(const Tensor& in, int64_t out_width, F f) {
  const int64_t width = in.size(-1);
  Tensor out = Tensor::empty(in.shape().with(-1, out_width));
  const float* p = in.data<float>();
  float* q = out.data<float>();
  for (int64_t i = 0, n = width > 0 ? in.numel() / width : 0; i < n; ++i)
    f(p + i * width, q + i * out_width);
  return out;
}

float overlap_of(const float* a, const float* b, Overlap mode) {
  constexpr float eps = 1e-6f;
  const float area_a = (a[2] - a[0]) * (a[3] - a[1]), area_b = (b[2] - b[0]) * (b[3] - b[1]);
  const float w = std::max(0.0f, std::min(a[2], b[2]) - std::max(a[0], b[0]));
  const float h = std::max(0.0f, std::min(a[3], b[3]) - std::max(a[1], b[1]));
  const float common = w * h;
  const float united = std::max(mode == Overlap::iof ? area_a : area_a + area_b - common, eps);
  if (mode != Overlap::giou) return common / united;
  const float around = std::max(eps, (std::max(a[2], b[2]) - std::min(a[0], b[0])) *
                                         (std::max(a[3], b[3]) - std::min(a[1], b[1])));
  return common / united - (around - united) / around;
}

}  // namespace

CenterScale bbox_to_center_scale(const Tensor& xyxy, double padding) {
  check_boxes(xyxy, 4, "bbox_to_center_scale");
  const float pad = float(padding);
  return {by_row(xyxy, 2,
                 [](const float* b, float* c) {
                   c[0] = (b[2] + b[0]) * 0.5f;
                   c[1] = (b[3] + b[1]) * 0.5f;
                 }),
          by_row(xyxy, 2, [pad](const float* b, float* s) {
            s[0] = (b[2] - b[0]) * pad;
            s[1] = (b[3] - b[1]) * pad;
          })};
}

Tensor center_scale_to_bbox(const Tensor& center, const Tensor& scale, double padding) {
  check_boxes(center, 2, "center_scale_to_bbox");
  check(center.shape() == scale.shape(), "center_scale_to_bbox: shapes ", center.shape(), " and ",
        scale.shape());
  Tensor out = Tensor::empty(center.shape().with(-1, 4));
  const float *c = center.data<float>(), *s = scale.data<float>();
  float* b = out.data<float>();
  for (int64_t i = 0; i < center.numel() / 2; ++i)
    for (int64_t d = 0; d < 2; ++d) {
      const float size = float(s[2 * i + d] / padding);
      b[4 * i + d] = c[2 * i + d] - 0.5f * size;
      b[4 * i + d + 2] = b[4 * i + d] + size;
    }
  return out;
}

bool is_sane_box(std::span<const double, 4> xywh) {
  return std::all_of(xywh.begin(), xywh.end(),
                     [](double v) { return std::isfinite(v) && std::abs(v) < 1e6; });
}

Tensor xyxy_to_xywh(const Tensor& xyxy) {
  check_boxes(xyxy, 4, "xyxy_to_xywh");
  return by_row(xyxy, 4, [](const float* a, float* b) {
    b[0] = a[0], b[1] = a[1], b[2] = a[2] - a[0], b[3] = a[3] - a[1];
  });
}

Tensor xywh_to_xyxy(const Tensor& xywh) {
  check_boxes(xywh, 4, "xywh_to_xyxy");
  return by_row(xywh, 4, [](const float* a, float* b) {
    b[0] = a[0], b[1] = a[1], b[2] = a[2] + a[0], b[3] = a[3] + a[1];
  });
}

Tensor bbox_corners(const Tensor& xyxy) {
  check_boxes(xyxy, 4, "bbox_corners");
  const Tensor flat = by_row(xyxy, 8, [](const float* a, float* b) {
    const float corners[8] = {a[0], a[1], a[0], a[3], a[2], a[1], a[2], a[3]};
    std::copy_n(corners, 8, b);
  });
  return flat.alias(xyxy.shape().with(-1, 4).inserted(xyxy.rank(), 2));
}

Tensor corners_bbox(const Tensor& corners) {
  check_boxes(corners, 2, "corners_bbox");
  check(corners.rank() == 3 && corners.size(1) > 0, "corners_bbox: needs (N, M, 2), not ",
        corners.shape());
  const int64_t N = corners.size(0), M = corners.size(1);
  Tensor out = Tensor::empty({N, 4});
  for (int64_t n = 0; n < N; ++n) {
    const float* p = corners.data<float>() + n * M * 2;
    float* b = out.data<float>() + n * 4;
    b[0] = b[2] = p[0], b[1] = b[3] = p[1];
    for (int64_t m = 1; m < M; ++m)
      for (int64_t d = 0; d < 2; ++d) {
        b[d] = std::min(b[d], p[2 * m + d]);
        b[d + 2] = std::max(b[d + 2], p[2 * m + d]);
      }
  }
  return out;
}

Tensor clip_bbox(const Tensor& boxes, const std::array<int, 2>& size) {
  Tensor out = boxes.clone();
  float* p = out.data<float>();
  for (int64_t i = 0; i < out.numel(); ++i)
    p[i] = std::clamp(p[i], 0.0f, float(size[size_t(i % 2)]));
  return out;
}

Tensor flip_bbox(const Tensor& boxes, const std::array<int, 2>& size, BoxLayout layout,
                 bool horizontal, bool vertical) {
  check_boxes(boxes, layout == BoxLayout::center ? 2 : 4, "flip_bbox");
  const bool flips[2] = {horizontal, vertical};
  return by_row(boxes, boxes.size(-1), [&](const float* a, float* b) {
    for (int d = 0; d < 2; ++d) {
      const float last = float(size[size_t(d)] - 1);
      b[d] = flips[d] ? last - a[d] : a[d];
      if (layout == BoxLayout::xywh) {
        b[d + 2] = a[d + 2];
      } else if (layout == BoxLayout::xyxy) {
        b[d] = flips[d] ? last - a[d + 2] : a[d];
        b[d + 2] = flips[d] ? last - a[d] : a[d + 2];
      }
    }
  });
}

Tensor fix_aspect_ratio(const Tensor& scale, double ratio) {
  check_boxes(scale, 2, "fix_aspect_ratio");
  const float r = float(ratio);
  return by_row(scale, 2, [r](const float* a, float* b) {
    const bool wide = a[0] > a[1] * r;
    b[0] = wide ? a[0] : a[1] * r;
    b[1] = wide ? a[0] / r : a[1];
  });
}

Tensor bbox_overlaps(const Tensor& a, const Tensor& b, Overlap mode, bool aligned) {
  check_boxes(a, 4, "bbox_overlaps");
  check_boxes(b, 4, "bbox_overlaps");
  const int64_t N = a.size(0), M = b.size(0);
  check(!aligned || N == M, "bbox_overlaps: ", N, " and ", M, " boxes make no pairs");
  Tensor out = Tensor::empty(aligned ? Shape{N} : Shape{N, M});
  const float *p = a.data<float>(), *q = b.data<float>();
  float* to = out.data<float>();
  for (int64_t n = 0; n < N; ++n)
    for (int64_t m = aligned ? n : 0; m < (aligned ? n + 1 : M); ++m)
      *to++ = overlap_of(p + 4 * n, q + 4 * m, mode);
  return out;
}

}  // namespace limber
