// What bottom-up codecs derive from all key points of a person: root, extent, displacements.
#pragma once

#include <array>
#include <vector>

#include "pose/codecs/heatmap_ops.h"

namespace limber {

enum class RootType {
  keypoint_center,  // the mean of the visible key points
  bbox_center,      // the centre of their bounding box
};
// "root_type": "kpt_center" (also when absent) or "bbox_center".
RootType read_root_type(const Config& config);

// The bounding boxes (x1, y1, x2, y2) of the visible key points; all 0 where none is visible.
std::vector<std::array<float, 4>> visible_boxes(const EncodePoints& points);

// One point per instance, invisible where no key point is visible.
EncodePoints instance_roots(const EncodePoints& points, RootType type);

// The diagonal of the bounding box of each instance's visible key points; 0 where there is none.
std::vector<float> diagonal_lengths(const EncodePoints& points);

struct Displacements {
  Tensor maps, weights;  // (2 K, H, W): x and y of each key point
};
// In the square of half side `radius` around each visible root: the vectors from the pixels to the
// key points that are on the map, weighted by 1 / diagonal. Where people overlap, the smaller one
// stays.
Displacements draw_displacements(Size size, const EncodePoints& points, const EncodePoints& roots,
                                 const std::vector<float>& diagonals, double radius);

struct LocalMaximum {
  int64_t x, y;
  float value;
};
// The at most `count` largest of the pixels above `threshold` that are the maximum of the
// kernel x kernel window around them, in descending order.
std::vector<LocalMaximum> top_local_maxima(const float* map, Size size, int kernel, int count,
                                           float threshold);

}  // namespace limber
