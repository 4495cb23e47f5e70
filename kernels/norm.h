// Normalisation by statistics of groups of channels, of rows, and by a row's length.
//
// x is (N, L, C): N samples of L positions. Group norm averages over the positions and over each of
// G groups of neighbouring channels. Batch norm is the same with N = 1 (all positions of the batch
// are one sample) and G = C.
#pragma once

#include "kernels/kernel.h"

namespace limber::kernels {

struct NormShape {
  int64_t N, L, C, G;
};

// mean[n, g], var[n, g] over the L C / G numbers of a group; the variance divides by their number.
// One sweep over memory: a block's variance is taken about its own mean while it is in the cache.
LIMBER_KERNEL(norm_statistics, Out mean, Out var, In x, NormShape s)
// y = (x - mean) rstd weight + bias.   mean, rstd: (N, G), weight, bias: (C,) or null.
LIMBER_KERNEL(norm_apply, Out y, In x, In mean, In rstd, In weight, In bias, NormShape s)
// With z = (x - mean) rstd, A = sum_group weight dy, B = sum_group weight dy z, M = L C / G:
//   dx = rstd (weight dy - A / M - z B / M),  dweight = sum_{n,l} dy z,  dbias = sum_{n,l} dy.
// `fixed` statistics (batch norm in evaluation) do not depend on x: dx = rstd weight dy.
LIMBER_KERNEL(norm_backward, Out dx, Out dweight, Out dbias, In dy, In x, In mean, In rstd,
              In weight, NormShape s, bool fixed)

// rstd[i] = 1 / sqrt(var[i] + eps)
LIMBER_KERNEL(inverse_deviation, Out rstd, In var, int64_t n, double eps)
// running[i] = (1 - momentum) running[i] + momentum factor value[i]
LIMBER_KERNEL(move_average, Out running, In value, int64_t n, double momentum, double factor)

// Rows of x: (rows, C) by their own mean and variance, kept for the gradient; mean, rstd: (rows,).
LIMBER_KERNEL(layer_norm_forward, Out y, Out mean, Out rstd, In x, In weight, In bias, int64_t rows,
              int64_t C, double eps)
// The formula of norm_backward with a row as the group.
LIMBER_KERNEL(layer_norm_backward, Out dx, Out dweight, Out dbias, In dy, In x, In mean, In rstd,
              In weight, int64_t rows, int64_t C)

// length[r] = |x[r]| C^-1/2,  y = gain x / max(length, eps).   x, y: (rows, C), gain: (1,).
LIMBER_KERNEL(scale_norm_forward, Out y, Out length, In x, In gain, int64_t rows, int64_t C,
              double eps)
// dx = gain / length (dy - x (dy . x) / (C length^2)), without the second term below eps.
// dgain[r] = (dy . x) / max(length, eps) is what row r adds to the gradient of gain.
LIMBER_KERNEL(scale_norm_backward, Out dx, Out dgain, In dy, In x, In length, In gain, int64_t rows,
              int64_t C, double eps)

}  // namespace limber::kernels
