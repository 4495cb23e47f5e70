#include "pose/heads/flip.h"

#include "tensor/ops.h"

namespace limber {
namespace {

// The first of `group` channels' x components changes its sign.
Tensor negated_part(const Tensor& grouped, int64_t part, int64_t group) {
  std::vector<Tensor> parts = chunk(grouped, int(group), 2);
  parts[size_t(part)] = -parts[size_t(part)];
  return concat(parts, 2);
}

}  // namespace

Tensor flip_keypoints(const Tensor& t, const std::vector<int>& indices) {
  check(int64_t(indices.size()) == t.size(1), "flip test: ", indices.size(), " flip indices for ",
        t.size(1), " key points");
  const std::vector<int64_t> wide(indices.begin(), indices.end());
  return index_select(t, 1, Tensor::from(wide, {int64_t(wide.size())}));
}

Tensor flip_heatmaps(const Tensor& maps, const std::vector<int>& flip_indices,
                     const std::string& mode, bool shift) {
  Tensor y = flip(maps, 3);
  if (mode == "heatmap") {
    y = flip_keypoints(y, flip_indices);
  } else {
    check_input(mode == "udp_combined" || mode == "offset", "test_cfg.flip_mode: \"heatmap\", ",
                "\"udp_combined\" or \"offset\", not \"", mode, "\"");
    const bool combined = mode == "udp_combined";
    const int64_t group = combined ? 3 : 2;
    y = reshape(y, {y.size(0), -1, group, y.size(2), y.size(3)});
    y = negated_part(flip_keypoints(y, flip_indices), combined ? 1 : 0, group);
    y = reshape(y, maps.shape());
  }
  if (shift) y = concat({slice(y, 3, 0, 1), slice(y, 3, 0, y.size(3) - 1)}, 3);
  return y;
}

std::pair<Tensor, Tensor> flip_vectors(const Tensor& x_logits, const Tensor& y_logits,
                                       const std::vector<int>& flip_indices) {
  return {flip_keypoints(flip(x_logits, 2), flip_indices), flip_keypoints(y_logits, flip_indices)};
}

Tensor flip_coordinates(const Tensor& coords, const std::vector<int>& flip_indices, bool shift,
                        int input_width) {
  const double right = shift ? 1 - 1.0 / input_width : 1;
  const Tensor x = right - slice(coords, 2, 0, 1);
  const Tensor rest = slice(coords, 2, 1, coords.size(2));
  return flip_keypoints(concat({x, rest}, 2), flip_indices);
}

}  // namespace limber
