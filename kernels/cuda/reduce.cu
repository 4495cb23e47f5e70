// Sums along one dimension, in two stages where there are more terms than one thread should add.
#include "kernels/reduce.h"

#include "kernels/cuda/columns.cuh"
#include "kernels/cuda/reduce.cuh"

namespace limber::kernels::cuda {

__global__ void merge_chunks_kernel(float* sums, const float* parts, int64_t samples, int64_t width,
                                    int64_t count) {
  for (for_each_item(at, samples * width)) {
    const float* from = parts + at / width * count * width + at % width;
    float sum = 0;
    for (int64_t chunk = 0; chunk < count; ++chunk) sum += from[chunk * width];
    sums[at] = sum;
  }
}

namespace {

constexpr int64_t kPiece = 16384;  // numbers of a row that one block adds up

// inner = 1: one block per piece of a row.   y: (rows, pieces).
template <class To, class From>
__global__ void row_sums_kernel(To* y, const From* x, int64_t n, int64_t pieces, float scale) {
  const int64_t row = blockIdx.x / pieces, piece = blockIdx.x % pieces;
  const int64_t first = piece * kPiece, last = first + kPiece < n ? first + kPiece : n;
  float sum = 0;
  for (int64_t i = first + threadIdx.x; i < last; i += blockDim.x) sum += widen(x[row * n + i]);
  sum = block_sum(sum);
  if (threadIdx.x == 0) y[blockIdx.x] = narrow<To>(scale * sum);
}

template <class T>
struct OwnTerm {
  const T* x;
  int64_t rows, columns;
  __device__ void operator()(int64_t n, int64_t row, int64_t c, float* sums) const {
    sums[0] += widen(x[(n * rows + row) * columns + c]);
  }
};

template <class T>
__global__ void scaled_kernel(T* y, const float* x, int64_t n, float scale) {
  for (for_each_item(i, n)) y[i] = narrow<T>(scale * x[i]);
}

}  // namespace

void sum_forward(const Exec& ex, Out y, In x, int64_t outer, int64_t n, int64_t inner,
                 double scale) {
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    if (inner > 1) {
      const Scratch<float> sums(ex, outer * inner);
      column_sums<1>(ex, OwnTerm<T>{x.as<T>(), n, inner}, sums.data(), outer, n, inner);
      launch(ex, one_each(outer * inner), scaled_kernel<T>, y.as<T>(), sums.data(), outer * inner,
             scale);
      return;
    }
    if (n <= kPiece) {
      launch(ex, {outer * inner, kThreads}, row_sums_kernel<T, T>, y.as<T>(), x.as<T>(), n, 1,
             scale);
      return;
    }
    const int64_t pieces = divide_up(n, kPiece);
    const Scratch<float> sums(ex, outer * pieces);
    launch(ex, {outer * pieces, kThreads}, row_sums_kernel<float, T>, sums.data(), x.as<T>(), n,
           pieces, 1);
    sum_forward(ex, {y.data, y.dtype}, {sums.data(), DType::f32}, outer, pieces, 1, scale);
  });
}

}  // namespace limber::kernels::cuda
