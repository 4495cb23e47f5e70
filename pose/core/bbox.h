// Boxes: x1, y1, x2, y2 with x2 = x1 + width unless a name says xywh; f32 tensors (N, 4) on the
// host. Centres and scales are (N, 2): the box's middle and its size times a padding.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "tensor/tensor.h"

namespace limber {

struct CenterScale {
  Tensor center, scale;  // (N, 2)
};
CenterScale bbox_to_center_scale(const Tensor& xyxy, double padding = 1);
Tensor center_scale_to_bbox(const Tensor& center, const Tensor& scale, double padding = 1);

Tensor xyxy_to_xywh(const Tensor& xyxy);
Tensor xywh_to_xyxy(const Tensor& xywh);
// Whether x, y, w, h can be a box in a picture: four finite numbers below a million (an edge of a
// JPEG has at most 65535 pixels). An empty or negative size is not absurd, only empty.
bool is_sane_box(std::span<const double, 4> xywh);
// (N, 4) -> (N, 4, 2): upper left, lower left, upper right, lower right.
Tensor bbox_corners(const Tensor& xyxy);
// (N, M, 2) -> (N, 4): the box around each set of points.
Tensor corners_bbox(const Tensor& corners);

// Clips to [0, W] x [0, H]; (N, 4) boxes or (N, M, 2) corners. size: {W, H}.
Tensor clip_bbox(const Tensor& boxes, const std::array<int, 2>& size);

// Which layout the last dimension has: x1, y1, x2, y2; x, y, w, h; or a point.
enum class BoxLayout { xyxy, xywh, center };
// Mirrors at the middle of the pixel grid: x -> W - 1 - x. size: {W, H}. With xywh the corner alone
// is mirrored and thus becomes another corner, as in the reference.
Tensor flip_bbox(const Tensor& boxes, const std::array<int, 2>& size, BoxLayout layout,
                 bool horizontal, bool vertical);

// The smallest enlargement of each (w, h) with the given width / height. scale: (N, 2).
Tensor fix_aspect_ratio(const Tensor& scale, double ratio);

// Overlap of every box of a (N, 4) with every one of b (M, 4): (N, M); `aligned`: of pairs, (N,).
enum class Overlap { iou, iof, giou };
Tensor bbox_overlaps(const Tensor& a, const Tensor& b, Overlap mode = Overlap::iou,
                     bool aligned = false);

}  // namespace limber
