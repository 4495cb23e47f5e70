// Deformable convolution: every tap of every result reads the image at a place of its own. Dai et
// al. 2017, arXiv 1703.06211 (version 1: no modulation). Conventions of torchvision's
// deform_conv2d.
#pragma once

#include "kernels/conv.h"

namespace limber::kernels {

// x (N, H, W, C), offset (N, P, Q, O R S 2), weight (K, R, S, C / groups) -> y (N, P, Q, K):
//   y[n, p, q, k] = bias[k] + sum over r, s, c of x(n, h + dh, w + dw, i) weight[k, r, s, c]
// with h, w, and the input channel i = g C/groups + c as in Conv, and (dh, dw) = offset[n, p, q,
// ((o R + r) S + s) 2 + {0, 1}] for i's offset group o = i / (C / O). Between pixels x is
// interpolated bilinearly; outside of the image it is zero.
struct DeformConv {
  Conv conv;
  int64_t offset_groups = 1;  // O
};

// bias: (K,) or null.
LIMBER_KERNEL(deform_conv_forward, const DeformConv& s, Out y, In x, In offset, In weight, In bias)

// The gradients of x and of the offsets; either may be null. Threads take whole offset groups of an
// image, so that no two add to one element.
LIMBER_KERNEL(deform_conv_backward_data, const DeformConv& s, Out dx, Out doffset, In dy, In x,
              In offset, In weight)

// dweight[k, r, s, c] = sum over n, p, q of dy[n, p, q, k] times what the tap read.
LIMBER_KERNEL(deform_conv_backward_weight, const DeformConv& s, Out dweight, In dy, In x, In offset)

}  // namespace limber::kernels
