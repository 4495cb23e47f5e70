// Scaled dot-product attention without ever storing the (L, S) matrix of probabilities.
#pragma once

#include "kernels/kernel.h"

namespace limber::kernels {

// q: (B, H, L, D), k: (B, H, S, D), v: (B, H, S, E). The bias is read at b stride_bias[0] +
// h stride_bias[1] + l stride_bias[2] + s stride_bias[3]; a stride of 0 repeats.
struct Attention {
  int64_t B = 1, H = 1, L = 1, S = 1, D = 1, E = 1;
  double scale = 1;
  int64_t stride_bias[4] = {};
};

// With s[l, j] = scale q[l] . k[j] + bias[l, j] for each (b, h):
//   lse[l] = log sum_j exp s[l, j],   y[l] = sum_j exp(s[l, j] - lse[l]) v[j].
// y: (B, H, L, E), lse: (B, H, L); a null bias is left out. A row whose bias is -infinity
// everywhere gives NaN.
LIMBER_KERNEL(attention_forward, const Attention& a, Out y, Out lse, In q, In k, In v, In bias)

// With p = exp(s - lse) computed again, delta[l] = dy[l] . y[l] and
// ds[l, j] = p[l, j] (dy[l] . v[j] - delta[l]):
//   dv[j] = sum_l p[l, j] dy[l],  dq[l] = scale sum_j ds[l, j] k[j],
//   dk[j] = scale sum_l ds[l, j] q[l],  dbias = ds, unreduced: (B, H, L, S), or null.
struct AttentionInputs {
  In q, k, v, bias, y, lse, dy;
};
struct AttentionGradients {
  Out dq, dk, dv, dbias;
};
LIMBER_KERNEL(attention_backward, const Attention& a, const AttentionGradients& to,
              const AttentionInputs& from)

}  // namespace limber::kernels
