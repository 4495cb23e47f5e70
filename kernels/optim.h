// What an optimiser does to every parameter, and the passes over gradients that clipping needs.
//
// A call covers a whole list of tensors, so that a model of hundreds of small parameters costs one
// fork of the threads. Lists are indexed as one run of numbers: tensor after tensor.
#pragma once

#include "kernels/kernel.h"

namespace limber::kernels {

// What a step makes of all gradients. It lies on the device that computes, so that a GPU clips and
// skips without the host.
struct GradControl {
  double factor = 1;  // of each number
  double norm = 0;    // times the factor before clipping
  int64_t skip = 0;   // not 0: parameters and state stay as they are
};

// One tensor of n numbers: its value and state are updated in place, its gradient is read as
// g = clamp(factor * grad, -grad_limit, grad_limit). Lists of items are host memory; a GPU copies
// them.
template <class Step>
struct OptimItem {
  void* value = nullptr;
  const void* grad = nullptr;
  void* state[3] = {};
  int64_t n = 0;
  double grad_limit = __builtin_inf();
  Step step;
};

// g += weight_decay p;  state[0] = b = momentum b + (1 - dampening) g, at the first step b = g;
// p -= lr (nesterov ? g + momentum b : b), without momentum p -= lr g.
struct SgdStep {
  double lr, momentum, dampening, weight_decay;
  bool nesterov, first;
};
LIMBER_KERNEL(sgd_step, DType dtype, const OptimItem<SgdStep>* items, int64_t count,
              const GradControl* control)

// Kingma and Ba 2015, arXiv 1412.6980.  state: m, v, and with amsgrad (Reddi et al. 2018) the
// largest v so far.  p *= keep;  g += weight_decay p;
// m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
// p -= step_size m / (sqrt(v) / root_correction + eps)
struct AdamStep {
  double step_size;        // lr / (1 - beta1^t)
  double root_correction;  // sqrt(1 - beta2^t)
  double beta1, beta2, eps, weight_decay;
  double keep;  // 1 - lr weight_decay of AdamW (arXiv 1711.05101), else 1
  bool amsgrad;
};
LIMBER_KERNEL(adam_step, DType dtype, const OptimItem<AdamStep>* items, int64_t count,
              const GradControl* control)

// Hinton's RMSprop as PyTorch has it.  state: s, momentum buffer b, mean gradient a.
// s = alpha s + (1 - alpha) g^2;  centered: a = alpha a + (1 - alpha) g, d = sqrt(s - a^2) + eps,
// else d = sqrt(s) + eps;  b = momentum b + g / d;  p -= lr b
struct RmsPropStep {
  double lr, alpha, eps, momentum, weight_decay;
  bool centered;
};
LIMBER_KERNEL(rmsprop_step, DType dtype, const OptimItem<RmsPropStep>* items, int64_t count,
              const GradControl* control)

// Duchi et al. 2011.  state: s += g^2;  p -= lr g / (sqrt(s) + eps)
struct AdagradStep {
  double lr, eps, weight_decay;
};
LIMBER_KERNEL(adagrad_step, DType dtype, const OptimItem<AdagradStep>* items, int64_t count,
              const GradControl* control)

// Section 7.1 of arXiv 1412.6980.  state: m, u.
// m = beta1 m + (1 - beta1) g;  u = max(beta2 u, |g| + eps);  p -= step_size m / u
struct AdamaxStep {
  double step_size, beta1, beta2, eps, weight_decay;
};
LIMBER_KERNEL(adamax_step, DType dtype, const OptimItem<AdamaxStep>* items, int64_t count,
              const GradControl* control)

// value += weight (grad - value), the average of two models: torch.lerp, which counts from the
// nearer end.
struct LerpStep {
  double weight;
};
LIMBER_KERNEL(lerp_step, DType dtype, const OptimItem<LerpStep>* items, int64_t count)

// A run of numbers.
struct Piece {
  const void* data;
  int64_t n;
};
// sums[i] = sum |x|^p over piece i; p = infinity: the largest |x|. NaN counts as it does in the
// sum. The order of additions depends on the pieces alone. `sums` lies on the device that computes,
// the list of pieces on the host.
LIMBER_KERNEL(power_sums, DType dtype, double* sums, const Piece* pieces, int64_t count, double p)

// control->skip = 1 unless all of the sums are finite: with p = infinity they cannot overflow.
LIMBER_KERNEL(check_gradients, GradControl* control, const double* sums, int64_t count)

// control->norm = factor (sum_i sums[i])^(1/p), p = infinity: factor max_i sums[i];
// control->factor *= min(1, max_norm / (norm + 1e-6)): torch.nn.utils.clip_grad_norm_. NaN stays.
LIMBER_KERNEL(clip_gradients, GradControl* control, const double* sums, int64_t count, double p,
              double max_norm)

}  // namespace limber::kernels
