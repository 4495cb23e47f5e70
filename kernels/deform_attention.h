// Multi-scale deformable attention: every query reads a few points of a pyramid of maps, where to
// and with which weights being data. Zhu et al. 2021 (Deformable DETR), arXiv 2010.04159, eq. 3.
#pragma once

#include "kernels/kernel.h"

namespace limber::kernels {

// value: (N, S, M, D), the L maps of height[l] x width[l] pixels one behind the other along S;
// locations: (N, Q, M, L, P, 2), x before y, (0, 0) and (1, 1) the outer corners of the corner
// pixels; weights: (N, Q, M, L, P); y: (N, Q, M, D).
struct DeformAttention {
  static constexpr int kMaxLevels = 8;
  int64_t N = 1, S = 1, M = 1, D = 1, Q = 1, P = 1;
  int L = 1;
  int64_t height[kMaxLevels] = {}, width[kMaxLevels] = {};
};

// y[n, q, m] = sum_lp weights[n, q, m, l, p] v_l(x width[l] - 1/2, y height[l] - 1/2), where v_l is
// bilinear in map l of sample n and head m, and 0 outside it (grid_sample with zero padding,
// align_corners off).
LIMBER_KERNEL(deform_attention_forward, const DeformAttention& a, Out y, In value, In locations,
              In weights)

// Gradients of all three. The gradient of a location is that of the cell it falls into, whose lower
// edges belong to it. A sum has the order of q, whatever the number of threads.
struct DeformAttentionInputs {
  In value, locations, weights, dy;
};
struct DeformAttentionGradients {
  Out dvalue, dlocations, dweights;
};
LIMBER_KERNEL(deform_attention_backward, const DeformAttention& a,
              const DeformAttentionGradients& to, const DeformAttentionInputs& from)

}  // namespace limber::kernels
