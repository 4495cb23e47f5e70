// Gradients of layer norm and scale norm.
#include "kernels/cuda/columns.cuh"
#include "kernels/cuda/reduce.cuh"
#include "kernels/norm.h"

namespace limber::kernels::cuda {
namespace {

// dx of one row whose normalised numbers are z = (x - mean) rstd.
template <class T>
__global__ void layer_norm_grad_kernel(T* dx, const T* dy, const T* x, const float* mean,
                                       const float* rstd, const float* weight, int64_t C) {
  const int64_t row = blockIdx.x * C;
  const float center = mean[blockIdx.x], inverse = rstd[blockIdx.x];
  const auto weighted = [&](int64_t c) {
    return widen(dy[row + c]) * (weight != nullptr ? weight[c] : 1.0f);
  };
  float a = 0, b = 0;
  for (int64_t c = threadIdx.x; c < C; c += blockDim.x) {
    a += weighted(c);
    b += weighted(c) * (widen(x[row + c]) - center) * inverse;
  }
  a = block_sum(a) / float(C);
  b = block_sum(b) / float(C);
  for (int64_t c = threadIdx.x; c < C; c += blockDim.x) {
    const float z = (widen(x[row + c]) - center) * inverse;
    dx[row + c] = narrow<T>((weighted(c) - a - z * b) * inverse);
  }
}

template <class T>
struct LayerNormTerm {
  const T *dy, *x;
  const float *mean, *rstd;
  int64_t C;
  __device__ void operator()(int64_t, int64_t row, int64_t c, float* sums) const {
    const float g = widen(dy[row * C + c]);
    sums[0] += g * (widen(x[row * C + c]) - mean[row]) * rstd[row];
    sums[1] += g;
  }
};

__global__ void split_sums_kernel(float* dweight, float* dbias, const float* sums, int64_t C) {
  for (for_each_item(c, C)) {
    if (dweight != nullptr) dweight[c] = sums[c];
    if (dbias != nullptr) dbias[c] = sums[C + c];
  }
}

template <class T>
__global__ void scale_norm_grad_kernel(T* dx, float* dgain, const T* dy, const T* x,
                                       const float* length, const float* gain, int64_t C,
                                       float eps) {
  const int64_t row = blockIdx.x * C;
  float dot = 0;
  for (int64_t c = threadIdx.x; c < C; c += blockDim.x)
    dot += widen(dy[row + c]) * widen(x[row + c]);
  dot = block_sum(dot);
  const float rms = length[blockIdx.x];
  const bool cut = rms < eps;
  const float inverse = 1.0f / (cut ? eps : rms), factor = *gain * inverse;
  const float slope = cut ? 0.0f : factor * dot * inverse * inverse / float(C);
  if (threadIdx.x == 0) dgain[blockIdx.x] = dot * inverse;
  if (dx == nullptr) return;
  for (int64_t c = threadIdx.x; c < C; c += blockDim.x)
    dx[row + c] = narrow<T>(widen(dy[row + c]) * factor - widen(x[row + c]) * slope);
}

}  // namespace

void layer_norm_backward(const Exec& ex, Out dx, Out dweight, Out dbias, In dy, In x, In mean,
                         In rstd, In weight, int64_t rows, int64_t C) {
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    if (dx.data != nullptr)
      launch(ex, {rows, kThreads}, layer_norm_grad_kernel<T>, dx.as<T>(), dy.as<T>(), x.as<T>(),
             mean.as<float>(), rstd.as<float>(), weight.as<float>(), C);
    if (dweight.data == nullptr && dbias.data == nullptr) return;
    const Scratch<float> sums(ex, 2 * C);
    const LayerNormTerm<T> term{dy.as<T>(), x.as<T>(), mean.as<float>(), rstd.as<float>(), C};
    column_sums<2>(ex, term, sums.data(), 1, rows, C);
    launch(ex, one_each(C), split_sums_kernel, dweight.as<float>(), dbias.as<float>(), sums.data(),
           C);
  });
}

void scale_norm_backward(const Exec& ex, Out dx, Out dgain, In dy, In x, In length, In gain,
                         int64_t rows, int64_t C, double eps) {
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    launch(ex, {rows, kThreads}, scale_norm_grad_kernel<T>, dx.as<T>(), dgain.as<float>(),
           dy.as<T>(), x.as<T>(), length.as<float>(), gain.as<float>(), C, eps);
  });
}

}  // namespace limber::kernels::cuda
