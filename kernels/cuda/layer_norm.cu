// Layer norm and scale norm: one block per row. Statistics, weights and biases are f32.
#include "kernels/cuda/reduce.cuh"
#include "kernels/norm.h"

namespace limber::kernels::cuda {
namespace {

template <class T>
__global__ void layer_norm_kernel(T* y, float* mean, float* rstd, const T* x, const float* weight,
                                  const float* bias, int64_t C, float eps) {
  const T* from = x + blockIdx.x * C;
  float sum = 0;
  for (int64_t c = threadIdx.x; c < C; c += blockDim.x) sum += widen(from[c]);
  const float center = block_sum(sum) / float(C);
  float square = 0;
  for (int64_t c = threadIdx.x; c < C; c += blockDim.x) {
    const float d = widen(from[c]) - center;
    square += d * d;
  }
  const float inverse = 1.0f / sqrtf(block_sum(square) / float(C) + eps);
  for (int64_t c = threadIdx.x; c < C; c += blockDim.x) {
    float v = (widen(from[c]) - center) * inverse;
    if (weight != nullptr) v *= weight[c];
    if (bias != nullptr) v += bias[c];
    y[blockIdx.x * C + c] = narrow<T>(v);
  }
  if (threadIdx.x != 0) return;
  mean[blockIdx.x] = center;
  rstd[blockIdx.x] = inverse;
}

template <class T>
__global__ void scale_norm_kernel(T* y, float* length, const T* x, const float* gain, int64_t C,
                                  float eps) {
  const T* from = x + blockIdx.x * C;
  float square = 0;
  for (int64_t c = threadIdx.x; c < C; c += blockDim.x) square += widen(from[c]) * widen(from[c]);
  const float rms = sqrtf(block_sum(square) / float(C));
  const float factor = *gain / fmaxf(rms, eps);
  for (int64_t c = threadIdx.x; c < C; c += blockDim.x)
    y[blockIdx.x * C + c] = narrow<T>(widen(from[c]) * factor);
  if (threadIdx.x == 0) length[blockIdx.x] = rms;
}

}  // namespace

void layer_norm_forward(const Exec& ex, Out y, Out mean, Out rstd, In x, In weight, In bias,
                        int64_t rows, int64_t C, double eps) {
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    launch(ex, {rows, kThreads}, layer_norm_kernel<T>, y.as<T>(), mean.as<float>(),
           rstd.as<float>(), x.as<T>(), weight.as<float>(), bias.as<float>(), C, eps);
  });
}

void scale_norm_forward(const Exec& ex, Out y, Out length, In x, In gain, int64_t rows, int64_t C,
                        double eps) {
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    launch(ex, {rows, kThreads}, scale_norm_kernel<T>, y.as<T>(), length.as<float>(), x.as<T>(),
           gain.as<float>(), C, eps);
  });
}

}  // namespace limber::kernels::cuda
