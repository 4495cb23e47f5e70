#include "pose/core/keypoint.h"

#include <algorithm>

namespace limber {
namespace {

// t: (N, K, ...); takes row flip_indices[k] for k.
Tensor swapped(const Tensor& t, std::span<const int> flip_indices) {
  const int64_t N = t.size(0), K = t.size(1), C = t.shape().inner(1);
  check(int64_t(flip_indices.size()) == K, "flip: ", flip_indices.size(), " flip indices for ", K,
        " key points");
  Tensor out = Tensor::empty(t.shape());
  const float* from = t.data<float>();
  float* to = out.data<float>();
  for (int64_t n = 0; n < N; ++n)
    for (int64_t k = 0; k < K; ++k, to += C)
      std::copy_n(from + (n * K + flip_indices[size_t(k)]) * C, C, to);
  return out;
}

}  // namespace

Keypoints swap_keypoints(const Keypoints& keypoints, std::span<const int> flip_indices) {
  check(keypoints.points.defined() && keypoints.points.rank() == 3,
        "swap_keypoints: needs points (N, K, C)");
  Keypoints out{swapped(keypoints.points, flip_indices), {}};
  if (keypoints.visible.defined()) out.visible = swapped(keypoints.visible, flip_indices);
  return out;
}

Keypoints flip_keypoints(const Keypoints& keypoints, std::span<const int> flip_indices,
                         const std::array<int, 2>& size, bool horizontal, bool vertical) {
  Keypoints out = horizontal != vertical ? swap_keypoints(keypoints, flip_indices)
                                         : Keypoints{keypoints.points.clone(), keypoints.visible};
  const int64_t C = out.points.size(-1);
  float* p = out.points.data<float>();
  for (int64_t i = 0; i < out.points.numel(); i += C) {
    if (horizontal) p[i] = float(size[0] - 1) - p[i];
    if (vertical) p[i + 1] = float(size[1] - 1) - p[i + 1];
  }
  return out;
}

Keypoints flip_keypoints_around(const Keypoints& keypoints, std::span<const int> flip_indices,
                                double center_x) {
  Keypoints out = swap_keypoints(keypoints, flip_indices);
  const int64_t C = out.points.size(-1);
  float* p = out.points.data<float>();
  for (int64_t i = 0; i < out.points.numel(); i += C) p[i] = float(2 * center_x - p[i]);
  return out;
}

Keypoints flip_keypoints_around_root(const Keypoints& keypoints, std::span<const int> flip_indices,
                                     int root) {
  Keypoints out = swap_keypoints(keypoints, flip_indices);
  const int64_t N = out.points.size(0), K = out.points.size(1), C = out.points.size(2);
  check(root >= 0 && root < K, "flip: no key point ", root, " of ", K);
  const float* before = keypoints.points.data<float>();
  float* p = out.points.data<float>();
  for (int64_t n = 0; n < N; ++n) {
    const float center = before[(n * K + root) * C];
    for (int64_t k = 0; k < K; ++k) p[(n * K + k) * C] = 2 * center - p[(n * K + k) * C];
  }
  return out;
}

Tensor visible_inside(const Keypoints& keypoints, const std::array<int, 2>& size) {
  Tensor out = keypoints.visible.clone();
  const int64_t count = keypoints.points.numel() / keypoints.points.size(-1);
  const int64_t stride = out.numel() / std::max<int64_t>(count, 1);
  const int64_t C = keypoints.points.size(-1);
  const float* p = keypoints.points.data<float>();
  float* v = out.data<float>();
  for (int64_t i = 0; i < count; ++i, p += C, v += stride)
    if (p[0] < 0 || p[0] > float(size[0]) || p[1] < 0 || p[1] > float(size[1])) v[0] = 0;
  return out;
}

}  // namespace limber
