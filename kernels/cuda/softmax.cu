// Softmax and its logarithm: one block per row.
#include "kernels/softmax.h"

#include "kernels/cuda/reduce.cuh"

namespace limber::kernels::cuda {
namespace {

constexpr float kNothing = -INFINITY;

// Threads for rows of this length.
Grid row_per_block(int64_t rows, int64_t cols) { return {rows, cols <= 64 ? 32 : kThreads}; }

template <class T, bool logarithm>
__global__ void softmax_kernel(T* y, const T* x, int64_t cols) {
  const T* from = x + blockIdx.x * cols;
  T* to = y + blockIdx.x * cols;
  float top = kNothing;
  for (int64_t c = threadIdx.x; c < cols; c += blockDim.x) top = Larger()(top, widen(from[c]));
  top = over_block(top, kNothing, Larger());
  float sum = 0;
  for (int64_t c = threadIdx.x; c < cols; c += blockDim.x) sum += expf(widen(from[c]) - top);
  sum = block_sum(sum);
  const float log_sum = logf(sum), inverse = 1 / sum;
  for (int64_t c = threadIdx.x; c < cols; c += blockDim.x) {
    const float v = widen(from[c]) - top;
    to[c] = narrow<T>(logarithm ? v - log_sum : expf(v) * inverse);
  }
}

}  // namespace

void softmax_forward(const Exec& ex, Out y, In x, int64_t rows, int64_t cols) {
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    launch(ex, row_per_block(rows, cols), softmax_kernel<T, false>, y.as<T>(), x.as<T>(), cols);
  });
}

void log_softmax_forward(const Exec& ex, Out y, In x, int64_t rows, int64_t cols) {
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    launch(ex, row_per_block(rows, cols), softmax_kernel<T, true>, y.as<T>(), x.as<T>(), cols);
  });
}

}  // namespace limber::kernels::cuda
