// Optimiser steps: one pass over parameter, gradient and state. Constants are formed in double and
// rounded once.
#include "kernels/optim.h"

#include "kernels/cpu/simd.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

constexpr int64_t kGrain = 16384;

// Calls body(item, i, m) for all vectors of the list, at element i of its item, m lanes of it
// valid. The threads split the list as one run of elements, so large tensors are shared.
template <class T, class Step, class Body>
void for_items(const Exec& ex, const OptimItem<Step>* items, int64_t count, const Body& body) {
  int64_t total = 0;
  for (int64_t k = 0; k < count; ++k) total += items[k].n;
  parallel_for(ex, total, kGrain, [&](int64_t begin, int64_t end) {
    int64_t first = 0;  // where item k starts in the run
    for (int64_t k = 0; k < count && first < end; first += items[k++].n) {
      const int64_t from = begin > first ? begin - first : 0;
      const int64_t to = end - first < items[k].n ? end - first : items[k].n;
      for_lanes<T>(to - from, [&](int64_t i, int64_t m) { body(items[k], from + i, m); });
    }
  });
}

// The clipped gradient with the weight decay that is part of it.
template <class T, class Step>
LIMBER_INLINE Vec<T> gradient(const OptimItem<Step>& item, int64_t i, int64_t m, Vec<T> p,
                              T factor) {
  Vec<T> g = load(static_cast<const T*>(item.grad) + i, m) * factor;
  g = max(min(g, splat(T(item.grad_limit))), splat(T(-item.grad_limit)));
  return g + p * T(item.step.weight_decay);
}

template <class T, class Step>
LIMBER_INLINE T* value(const OptimItem<Step>& item, int64_t i) {
  return static_cast<T*>(item.value) + i;
}

template <class T, class Step>
LIMBER_INLINE T* state(const OptimItem<Step>& item, int which, int64_t i) {
  return static_cast<T*>(item.state[which]) + i;
}

template <class T>
T piece_sum(const T* x, int64_t n, double p) {
  Vec<T> total{};
  for_lanes<T>(n, [&](int64_t i, int64_t m) {
    const Vec<T> v = load(x + i, m);
    if (p == 2) {
      total += v * v;
    } else if (p == 1) {
      total += abs(v);
    } else {
      total += by_lane<T>(abs(v), [&](T a) { return a == 0 ? T(0) : T(__builtin_pow(a, p)); });
    }
  });
  return reduce_add<T>(total);
}

// The largest |x|; NaN where there is one.
template <class T>
T piece_max(const T* x, int64_t n) {
  T best = 0;
  for (int64_t i = 0; i < n; ++i) {
    const T a = x[i] < 0 ? -x[i] : x[i];
    best = a > best || a != a ? a : best;
    if (a != a) break;
  }
  return best;
}

}  // namespace

void sgd_step(const Exec& ex, DType dtype, const OptimItem<SgdStep>* items, int64_t count,
              const GradControl* control) {
  if (control->skip != 0) return;
  by_float_type(dtype, [&]<class T>(T) {
    const T factor = T(control->factor);
    for_items<T>(ex, items, count, [factor](const OptimItem<SgdStep>& item, int64_t i, int64_t m) {
      const SgdStep& s = item.step;
      const Vec<T> p = load(value<T>(item, i), m);
      Vec<T> g = gradient<T>(item, i, m, p, factor);
      if (s.momentum != 0) {
        T* buffer = state<T>(item, 0, i);
        const Vec<T> b = s.first ? g : load(buffer, m) * T(s.momentum) + g * T(1 - s.dampening);
        store(buffer, b, m);
        g = s.nesterov ? g + b * T(s.momentum) : b;
      }
      store(value<T>(item, i), p - g * T(s.lr), m);
    });
  });
}

void adam_step(const Exec& ex, DType dtype, const OptimItem<AdamStep>* items, int64_t count,
               const GradControl* control) {
  if (control->skip != 0) return;
  by_float_type(dtype, [&]<class T>(T) {
    const T factor = T(control->factor);
    for_items<T>(ex, items, count, [factor](const OptimItem<AdamStep>& item, int64_t i, int64_t m) {
      const AdamStep& s = item.step;
      const Vec<T> p = load(value<T>(item, i), m) * T(s.keep);
      const Vec<T> g = gradient<T>(item, i, m, p, factor);
      T *at_mean = state<T>(item, 0, i), *at_square = state<T>(item, 1, i);
      const Vec<T> mean = load(at_mean, m) * T(s.beta1) + g * T(1 - s.beta1);
      const Vec<T> square = load(at_square, m) * T(s.beta2) + g * g * T(1 - s.beta2);
      store(at_mean, mean, m);
      store(at_square, square, m);
      Vec<T> largest = square;
      if (s.amsgrad) {
        T* at_largest = state<T>(item, 2, i);
        largest = max(load(at_largest, m), square);
        store(at_largest, largest, m);
      }
      const Vec<T> denominator = sqrt<T>(largest) / T(s.root_correction) + T(s.eps);
      store(value<T>(item, i), p - mean / denominator * T(s.step_size), m);
    });
  });
}

void rmsprop_step(const Exec& ex, DType dtype, const OptimItem<RmsPropStep>* items, int64_t count,
                  const GradControl* control) {
  if (control->skip != 0) return;
  by_float_type(dtype, [&]<class T>(T) {
    const T factor = T(control->factor);
    for_items<T>(ex, items, count,
                 [factor](const OptimItem<RmsPropStep>& item, int64_t i, int64_t m) {
                   const RmsPropStep& s = item.step;
                   const Vec<T> p = load(value<T>(item, i), m);
                   const Vec<T> g = gradient<T>(item, i, m, p, factor);
                   T* at_square = state<T>(item, 0, i);
                   const Vec<T> square = load(at_square, m) * T(s.alpha) + g * g * T(1 - s.alpha);
                   store(at_square, square, m);
                   Vec<T> variance = square;
                   if (s.centered) {
                     T* at_mean = state<T>(item, 2, i);
                     const Vec<T> mean = load(at_mean, m) * T(s.alpha) + g * T(1 - s.alpha);
                     store(at_mean, mean, m);
                     variance = square - mean * mean;
                   }
                   Vec<T> update = g / (sqrt<T>(variance) + T(s.eps));
                   if (s.momentum > 0) {
                     T* buffer = state<T>(item, 1, i);
                     update = load(buffer, m) * T(s.momentum) + update;
                     store(buffer, update, m);
                   }
                   store(value<T>(item, i), p - update * T(s.lr), m);
                 });
  });
}

void adagrad_step(const Exec& ex, DType dtype, const OptimItem<AdagradStep>* items, int64_t count,
                  const GradControl* control) {
  if (control->skip != 0) return;
  by_float_type(dtype, [&]<class T>(T) {
    const T factor = T(control->factor);
    for_items<T>(ex, items, count,
                 [factor](const OptimItem<AdagradStep>& item, int64_t i, int64_t m) {
                   const AdagradStep& s = item.step;
                   const Vec<T> p = load(value<T>(item, i), m);
                   const Vec<T> g = gradient<T>(item, i, m, p, factor);
                   T* at_sum = state<T>(item, 0, i);
                   const Vec<T> sum = load(at_sum, m) + g * g;
                   store(at_sum, sum, m);
                   store(value<T>(item, i), p - g / (sqrt<T>(sum) + T(s.eps)) * T(s.lr), m);
                 });
  });
}

void adamax_step(const Exec& ex, DType dtype, const OptimItem<AdamaxStep>* items, int64_t count,
                 const GradControl* control) {
  if (control->skip != 0) return;
  by_float_type(dtype, [&]<class T>(T) {
    const T factor = T(control->factor);
    for_items<T>(ex, items, count,
                 [factor](const OptimItem<AdamaxStep>& item, int64_t i, int64_t m) {
                   const AdamaxStep& s = item.step;
                   const Vec<T> p = load(value<T>(item, i), m);
                   const Vec<T> g = gradient<T>(item, i, m, p, factor);
                   T *at_mean = state<T>(item, 0, i), *at_largest = state<T>(item, 1, i);
                   const Vec<T> mean = load(at_mean, m) * T(s.beta1) + g * T(1 - s.beta1);
                   const Vec<T> largest = max(load(at_largest, m) * T(s.beta2), abs(g) + T(s.eps));
                   store(at_mean, mean, m);
                   store(at_largest, largest, m);
                   store(value<T>(item, i), p - mean / largest * T(s.step_size), m);
                 });
  });
}

void lerp_step(const Exec& ex, DType dtype, const OptimItem<LerpStep>* items, int64_t count) {
  by_float_type(dtype, [&]<class T>(T) {
    for_items<T>(ex, items, count, [](const OptimItem<LerpStep>& item, int64_t i, int64_t m) {
      const T weight = T(item.step.weight);
      const Vec<T> average = load(value<T>(item, i), m);
      const Vec<T> source = load(static_cast<const T*>(item.grad) + i, m);
      store(value<T>(item, i),
            weight < T(0.5) ? average + (source - average) * weight
                            : source - (source - average) * (1 - weight),
            m);
    });
  });
}

void power_sums(const Exec& ex, DType dtype, double* sums, const Piece* pieces, int64_t count,
                double p) {
  constexpr int64_t kRun = 1024;  // summed in the tensor's type; sums of runs are doubles
  by_float_type(dtype, [&]<class T>(T) {
    parallel_for(ex, count, 1, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; ++k) {
        const T* x = static_cast<const T*>(pieces[k].data);
        const int64_t n = pieces[k].n;
        if (p == __builtin_inf()) {
          sums[k] = double(piece_max(x, n));
          continue;
        }
        double total = 0;
        for (int64_t i = 0; i < n; i += kRun)
          total += double(piece_sum(x + i, n - i < kRun ? n - i : kRun, p));
        sums[k] = total;
      }
    });
  });
}

void check_gradients(const Exec&, GradControl* control, const double* sums, int64_t count) {
  control->skip = 0;
  for (int64_t i = 0; i < count; ++i)
    if (!(sums[i] - sums[i] == 0)) control->skip = 1;
}

void clip_gradients(const Exec&, GradControl* control, const double* sums, int64_t count, double p,
                    double max_norm) {
  const bool largest = p == __builtin_inf();
  double total = 0;
  for (int64_t i = 0; i < count; ++i)
    total = !largest ? total + sums[i] : sums[i] != sums[i] || sums[i] > total ? sums[i] : total;
  control->norm = control->factor * (largest ? total : __builtin_pow(total, 1 / p));
  const double share = max_norm / (control->norm + 1e-6);
  control->factor *= share > 1 ? 1 : share;
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
