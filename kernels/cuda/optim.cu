// Optimiser steps: one launch for all tensors of the list. The list is copied to the device, a
// block takes kPiece numbers of one tensor. Constants are formed in double and rounded once;
// parameters, gradients and state are f32.
#include "kernels/optim.h"

#include <vector>

#include "kernels/cuda/reduce.cuh"

namespace limber::kernels::cuda {
namespace {

constexpr int64_t kPiece = 8192;

// Host data for the duration of a launcher, on the device.
template <class T>
class Uploaded {
 public:
  Uploaded(const Exec& ex, const T* from, int64_t n) : memory_(ex, n) {
    gpu::copy(ex.device.index, memory_.data(), from, size_t(n) * sizeof(T), gpu::Copy::to_device);
  }
  const T* data() const { return memory_.data(); }

 private:
  Scratch<T> memory_;
};

// Piece k of the list belongs to the item whose first piece is the last one not after k.
template <class Item>
__device__ const Item& item_of(const Item* items, const int64_t* first_piece, int64_t count,
                               int64_t piece, int64_t* begin) {
  int64_t low = 0, high = count;
  while (high - low > 1) {
    const int64_t middle = (low + high) / 2;
    (first_piece[middle] <= piece ? low : high) = middle;
  }
  *begin = (piece - first_piece[low]) * kPiece;
  return items[low];
}

template <class Step>
__device__ __forceinline__ float* value(const OptimItem<Step>& item) {
  return static_cast<float*>(item.value);
}

template <class Step>
__device__ __forceinline__ float& state(const OptimItem<Step>& item, int which, int64_t i) {
  return static_cast<float*>(item.state[which])[i];
}

// The clipped gradient with the weight decay that is part of it.
template <class Step>
__device__ __forceinline__ float gradient(const OptimItem<Step>& item, int64_t i, float p,
                                          float factor) {
  const float limit = float(item.grad_limit);
  float g = static_cast<const float*>(item.grad)[i] * factor;
  g = g < limit ? g : limit;
  g = g > -limit ? g : -limit;
  return g + p * float(item.step.weight_decay);
}

__device__ void update(const OptimItem<SgdStep>& item, int64_t i, float factor) {
  const SgdStep& s = item.step;
  float& p = value(item)[i];
  float g = gradient(item, i, p, factor);
  if (s.momentum != 0) {
    float& buffer = state(item, 0, i);
    const float b = s.first ? g : buffer * float(s.momentum) + g * float(1 - s.dampening);
    buffer = b;
    g = s.nesterov ? g + b * float(s.momentum) : b;
  }
  p -= g * float(s.lr);
}

__device__ void update(const OptimItem<AdamStep>& item, int64_t i, float factor) {
  const AdamStep& s = item.step;
  const float p = value(item)[i] * float(s.keep), g = gradient(item, i, p, factor);
  const float mean = state(item, 0, i) * float(s.beta1) + g * float(1 - s.beta1);
  const float square = state(item, 1, i) * float(s.beta2) + g * g * float(1 - s.beta2);
  state(item, 0, i) = mean;
  state(item, 1, i) = square;
  float largest = square;
  if (s.amsgrad) {
    largest = fmaxf(state(item, 2, i), square);
    state(item, 2, i) = largest;
  }
  const float denominator = sqrtf(largest) / float(s.root_correction) + float(s.eps);
  value(item)[i] = p - mean / denominator * float(s.step_size);
}

__device__ void update(const OptimItem<RmsPropStep>& item, int64_t i, float factor) {
  const RmsPropStep& s = item.step;
  float& p = value(item)[i];
  const float g = gradient(item, i, p, factor);
  const float square = state(item, 0, i) * float(s.alpha) + g * g * float(1 - s.alpha);
  state(item, 0, i) = square;
  float variance = square;
  if (s.centered) {
    const float mean = state(item, 2, i) * float(s.alpha) + g * float(1 - s.alpha);
    state(item, 2, i) = mean;
    variance = square - mean * mean;
  }
  float step = g / (sqrtf(variance) + float(s.eps));
  if (s.momentum > 0) {
    step = state(item, 1, i) * float(s.momentum) + step;
    state(item, 1, i) = step;
  }
  p -= step * float(s.lr);
}

__device__ void update(const OptimItem<AdagradStep>& item, int64_t i, float factor) {
  const AdagradStep& s = item.step;
  float& p = value(item)[i];
  const float g = gradient(item, i, p, factor), sum = state(item, 0, i) + g * g;
  state(item, 0, i) = sum;
  p -= g / (sqrtf(sum) + float(s.eps)) * float(s.lr);
}

__device__ void update(const OptimItem<AdamaxStep>& item, int64_t i, float factor) {
  const AdamaxStep& s = item.step;
  float& p = value(item)[i];
  const float g = gradient(item, i, p, factor);
  const float mean = state(item, 0, i) * float(s.beta1) + g * float(1 - s.beta1);
  const float largest = fmaxf(state(item, 1, i) * float(s.beta2), fabsf(g) + float(s.eps));
  state(item, 0, i) = mean;
  state(item, 1, i) = largest;
  p -= mean / largest * float(s.step_size);
}

__device__ void update(const OptimItem<LerpStep>& item, int64_t i, float) {
  const float weight = float(item.step.weight);
  float& average = value(item)[i];
  const float source = static_cast<const float*>(item.grad)[i];
  average = weight < 0.5f ? average + (source - average) * weight
                          : source - (source - average) * (1 - weight);
}

template <class Step>
__global__ void step_kernel(const OptimItem<Step>* items, const int64_t* first_piece, int64_t count,
                            const GradControl* control) {
  if (control != nullptr && control->skip != 0) return;
  const float factor = control != nullptr ? float(control->factor) : 1;
  int64_t begin = 0;
  const OptimItem<Step>& item = item_of(items, first_piece, count, blockIdx.x, &begin);
  const int64_t end = begin + kPiece < item.n ? begin + kPiece : item.n;
  for (int64_t i = begin + threadIdx.x; i < end; i += blockDim.x) update(item, i, factor);
}

template <class Step>
void run(const Exec& ex, DType dtype, const OptimItem<Step>* items, int64_t count,
         const GradControl* control) {
  if (dtype != DType::f32) unsupported(ex, dtype);
  std::vector<int64_t> first_piece;
  int64_t pieces = 0;
  for (int64_t k = 0; k < count; ++k) {
    first_piece.push_back(pieces);
    pieces += divide_up(items[k].n, kPiece);
  }
  const Uploaded<OptimItem<Step>> list(ex, items, count);
  const Uploaded<int64_t> firsts(ex, first_piece.data(), count);
  launch(ex, {pieces, kThreads}, step_kernel<Step>, list.data(), firsts.data(), count, control);
}

// One block per piece; sums of one thread's numbers in float, of all threads' in double.
__global__ void power_sums_kernel(double* sums, const Piece* pieces, float p, bool largest) {
  const float* x = static_cast<const float*>(pieces[blockIdx.x].data);
  const int64_t n = pieces[blockIdx.x].n;
  float own = 0;
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) {
    const float a = fabsf(x[i]);
    if (largest) {
      own = Larger()(own, a);
    } else {
      own += p == 2 ? a * a : p == 1 ? a : a == 0 ? 0.0f : powf(a, p);
    }
  }
  const double total =
      largest ? double(over_block(own, 0.0f, Larger())) : over_block(double(own), 0.0, Add());
  if (threadIdx.x == 0) sums[blockIdx.x] = total;
}

__global__ void check_gradients_kernel(GradControl* control, const double* sums, int64_t count) {
  float infinite = 0;
  for (int64_t i = threadIdx.x; i < count; i += blockDim.x)
    if (!(sums[i] - sums[i] == 0)) infinite = 1;
  infinite = over_block(infinite, 0.0f, Larger());
  if (threadIdx.x == 0) control->skip = infinite != 0 ? 1 : 0;
}

// One thread: a thousand sums at most, added in the CPU's order.
__global__ void clip_gradients_kernel(GradControl* control, const double* sums, int64_t count,
                                      double p, double max_norm) {
  const bool largest = p == __builtin_inf();
  double total = 0;
  for (int64_t i = 0; i < count; ++i)
    total = !largest ? total + sums[i] : sums[i] != sums[i] || sums[i] > total ? sums[i] : total;
  control->norm = control->factor * (largest ? total : pow(total, 1 / p));
  const double share = max_norm / (control->norm + 1e-6);
  control->factor *= share > 1 ? 1 : share;
}

}  // namespace

#define LIMBER_STEP(name, Step)                                                       \
  void name(const Exec& ex, DType dtype, const OptimItem<Step>* items, int64_t count, \
            const GradControl* control) {                                             \
    run(ex, dtype, items, count, control);                                            \
  }
LIMBER_STEP(sgd_step, SgdStep)
LIMBER_STEP(adam_step, AdamStep)
LIMBER_STEP(rmsprop_step, RmsPropStep)
LIMBER_STEP(adagrad_step, AdagradStep)
LIMBER_STEP(adamax_step, AdamaxStep)
#undef LIMBER_STEP

void lerp_step(const Exec& ex, DType dtype, const OptimItem<LerpStep>* items, int64_t count) {
  run(ex, dtype, items, count, nullptr);
}

void power_sums(const Exec& ex, DType dtype, double* sums, const Piece* pieces, int64_t count,
                double p) {
  if (dtype != DType::f32) unsupported(ex, dtype);
  if (count == 0) return;
  const Uploaded<Piece> list(ex, pieces, count);
  launch(ex, {count, kThreads}, power_sums_kernel, sums, list.data(), p, p == __builtin_inf());
}

void check_gradients(const Exec& ex, GradControl* control, const double* sums, int64_t count) {
  launch(ex, {1, kThreads}, check_gradients_kernel, control, sums, count);
}

void clip_gradients(const Exec& ex, GradControl* control, const double* sums, int64_t count,
                    double p, double max_norm) {
  launch(ex, {1, 1}, clip_gradients_kernel, control, sums, count, p, max_norm);
}

}  // namespace limber::kernels::cuda
