// Gradients of softmax and its logarithm: one block per row.
#include "kernels/softmax.h"

#include "kernels/cuda/reduce.cuh"

namespace limber::kernels::cuda {
namespace {

template <class T>
__global__ void softmax_grad_kernel(T* dx, const T* dy, const T* y, int64_t cols) {
  const int64_t row = blockIdx.x * cols;
  float dot = 0;
  for (int64_t c = threadIdx.x; c < cols; c += blockDim.x)
    dot += widen(dy[row + c]) * widen(y[row + c]);
  dot = block_sum(dot);
  for (int64_t c = threadIdx.x; c < cols; c += blockDim.x)
    dx[row + c] = narrow<T>(widen(y[row + c]) * (widen(dy[row + c]) - dot));
}

template <class T>
__global__ void log_softmax_grad_kernel(T* dx, const T* dy, const T* y, int64_t cols) {
  const int64_t row = blockIdx.x * cols;
  float sum = 0;
  for (int64_t c = threadIdx.x; c < cols; c += blockDim.x) sum += widen(dy[row + c]);
  sum = block_sum(sum);
  for (int64_t c = threadIdx.x; c < cols; c += blockDim.x)
    dx[row + c] = narrow<T>(widen(dy[row + c]) - expf(widen(y[row + c])) * sum);
}

}  // namespace

void softmax_backward(const Exec& ex, Out dx, In dy, In y, int64_t rows, int64_t cols) {
  by_float_type(ex, y.dtype, [&]<class T>(T) {
    launch(ex, {rows, kThreads}, softmax_grad_kernel<T>, dx.as<T>(), dy.as<T>(), y.as<T>(), cols);
  });
}

void log_softmax_backward(const Exec& ex, Out dx, In dy, In y, int64_t rows, int64_t cols) {
  by_float_type(ex, y.dtype, [&]<class T>(T) {
    launch(ex, {rows, kThreads}, log_softmax_grad_kernel<T>, dx.as<T>(), dy.as<T>(), y.as<T>(),
           cols);
  });
}

}  // namespace limber::kernels::cuda
