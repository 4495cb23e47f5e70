// Attention, backward: probabilities are computed again from the saved log-sum-exp (Dao et al.
// 2022, arXiv 2205.14135, algorithm 4), once for the queries and once for the keys and values, so
// that every sum has one owner and one order.
#include "kernels/cuda/attention.cuh"

namespace limber::kernels::cuda {
namespace {

template <class T>
struct GradPointers {
  AttentionPointers<T> in;
  const T *y, *dy;
  const float *lse, *delta;  // delta[l] = dy[l] . y[l]
};

template <class T>
__global__ void delta_kernel(float* delta, const T* dy, const T* y, int64_t rows, int64_t E) {
  for (for_each_item(row, rows)) delta[row] = dot(dy + row * E, y + row * E, E);
}

// One block per query.   Shared: the tile's ds (kTile), dq (D).
template <class T>
__global__ void query_grad_kernel(Attention a, T* dq, T* dbias, GradPointers<T> p) {
  float* slopes = shared_memory<float>();
  float* total = slopes + kTile;
  const int64_t row = blockIdx.x, l = row % a.L, head = row / a.L;
  const T *q = p.in.q + row * a.D, *dy = p.dy + row * a.E;
  const T *keys = p.in.k + head * a.S * a.D, *values = p.in.v + head * a.S * a.E;
  for (int64_t d = threadIdx.x; d < a.D; d += kTile) total[d] = 0;
  for (int64_t first = 0; first < a.S; first += kTile) {
    const int64_t j = first + threadIdx.x;
    __syncthreads();  // of the last tile's slopes everybody has read
    if (j < a.S) {
      const float score =
          float(a.scale) * dot(q, keys + j * a.D, a.D) + bias_at(a, p.in.bias, head, l, j);
      const float slope =
          expf(score - p.lse[row]) * (dot(dy, values + j * a.E, a.E) - p.delta[row]);
      slopes[threadIdx.x] = slope;
      if (dbias != nullptr) dbias[row * a.S + j] = narrow<T>(slope);
    }
    __syncthreads();
    const int64_t count = a.S - first < kTile ? a.S - first : kTile;
    for (int64_t d = threadIdx.x; d < a.D; d += kTile)
      for (int64_t i = 0; i < count; ++i)
        total[d] += slopes[i] * widen(keys[(first + i) * a.D + d]);
  }
  for (int64_t d = threadIdx.x; d < a.D; d += kTile)
    dq[row * a.D + d] = narrow<T>(float(a.scale) * total[d]);
}

// One block per key.   Shared: the tile's probabilities and ds (kTile each), dv (E), dk (D).
template <class T>
__global__ void key_grad_kernel(Attention a, T* dk, T* dv, GradPointers<T> p) {
  float* weights = shared_memory<float>();
  float *slopes = weights + kTile, *value_total = slopes + kTile, *key_total = value_total + a.E;
  const int64_t j = blockIdx.x % a.S, head = blockIdx.x / a.S;
  const T *k = p.in.k + blockIdx.x * a.D, *v = p.in.v + blockIdx.x * a.E;
  const T *queries = p.in.q + head * a.L * a.D, *grads = p.dy + head * a.L * a.E;
  for (int64_t e = threadIdx.x; e < a.E; e += kTile) value_total[e] = 0;
  for (int64_t d = threadIdx.x; d < a.D; d += kTile) key_total[d] = 0;
  for (int64_t first = 0; first < a.L; first += kTile) {
    const int64_t l = first + threadIdx.x, row = head * a.L + l;
    __syncthreads();
    if (l < a.L) {
      const float score =
          float(a.scale) * dot(queries + l * a.D, k, a.D) + bias_at(a, p.in.bias, head, l, j);
      const float weight = expf(score - p.lse[row]);
      weights[threadIdx.x] = weight;
      slopes[threadIdx.x] = weight * (dot(grads + l * a.E, v, a.E) - p.delta[row]);
    }
    __syncthreads();
    const int64_t count = a.L - first < kTile ? a.L - first : kTile;
    for (int64_t e = threadIdx.x; e < a.E; e += kTile)
      for (int64_t i = 0; i < count; ++i)
        value_total[e] += weights[i] * widen(grads[(first + i) * a.E + e]);
    for (int64_t d = threadIdx.x; d < a.D; d += kTile)
      for (int64_t i = 0; i < count; ++i)
        key_total[d] += slopes[i] * widen(queries[(first + i) * a.D + d]);
  }
  for (int64_t e = threadIdx.x; e < a.E; e += kTile)
    dv[blockIdx.x * a.E + e] = narrow<T>(value_total[e]);
  for (int64_t d = threadIdx.x; d < a.D; d += kTile)
    dk[blockIdx.x * a.D + d] = narrow<T>(float(a.scale) * key_total[d]);
}

}  // namespace

void attention_backward(const Exec& ex, const Attention& a, const AttentionGradients& to,
                        const AttentionInputs& from) {
  const int64_t heads = a.B * a.H, rows = heads * a.L;
  const Scratch<float> delta(ex, rows);
  by_float_type(ex, from.q.dtype, [&]<class T>(T) {
    const GradPointers<T> p{{from.q.as<T>(), from.k.as<T>(), from.v.as<T>(), from.bias.as<T>()},
                            from.y.as<T>(),
                            from.dy.as<T>(),
                            from.lse.as<float>(),
                            delta.data()};
    launch(ex, one_each(rows), delta_kernel<T>, delta.data(), p.dy, p.y, rows, a.E);
    launch(ex, {rows, kTile, size_t(kTile + a.D) * sizeof(float)}, query_grad_kernel<T>, a,
           to.dq.as<T>(), to.dbias.as<T>(), p);
    launch(ex, {heads * a.S, kTile, size_t(2 * kTile + a.E + a.D) * sizeof(float)},
           key_grad_kernel<T>, a, to.dk.as<T>(), to.dv.as<T>(), p);
  });
}

}  // namespace limber::kernels::cuda
