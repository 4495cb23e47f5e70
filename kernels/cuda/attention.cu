// Attention, forward: one block per query walks over the keys in tiles and keeps the softmax of
// what it has seen so far (Milakov and Gimelshein 2018, arXiv 1805.02867), so that no row of scores
// is ever stored.
#include "kernels/attention.h"

#include "kernels/cuda/attention.cuh"

namespace limber::kernels::cuda {
namespace {

// Shared: the query (D), the result so far (E), the tile's scores (kTile).
template <class T>
__global__ void attention_kernel(Attention a, T* y, float* lse, AttentionPointers<T> p) {
  float* query = shared_memory<float>();
  float *total = query + a.D, *scores = total + a.E;
  const int64_t l = blockIdx.x % a.L, head = blockIdx.x / a.L;
  const T *keys = p.k + head * a.S * a.D, *values = p.v + head * a.S * a.E;
  for (int64_t d = threadIdx.x; d < a.D; d += kTile) query[d] = widen(p.q[blockIdx.x * a.D + d]);
  for (int64_t e = threadIdx.x; e < a.E; e += kTile) total[e] = 0;
  float top = -INFINITY, sum = 0;
  __syncthreads();
  for (int64_t first = 0; first < a.S; first += kTile) {
    const int64_t j = first + threadIdx.x;
    const float score =
        j < a.S ? float(a.scale) * dot(query, keys + j * a.D, a.D) + bias_at(a, p.bias, head, l, j)
                : -INFINITY;
    const float best = Larger()(top, over_block(score, -INFINITY, Larger()));
    if (best == -INFINITY) continue;  // masked so far, all threads alike
    const float weight = expf(score - best), kept = expf(top - best);
    scores[threadIdx.x] = weight;
    sum = sum * kept + block_sum(weight);
    top = best;
    __syncthreads();
    const int64_t count = a.S - first < kTile ? a.S - first : kTile;
    for (int64_t e = threadIdx.x; e < a.E; e += kTile) {
      float v = total[e] * kept;
      for (int64_t i = 0; i < count; ++i) v += scores[i] * widen(values[(first + i) * a.E + e]);
      total[e] = v;
    }
    __syncthreads();
  }
  for (int64_t e = threadIdx.x; e < a.E; e += kTile)
    y[blockIdx.x * a.E + e] = narrow<T>(total[e] / sum);
  if (threadIdx.x == 0) lse[blockIdx.x] = top + logf(sum);
}

}  // namespace

void attention_forward(const Exec& ex, const Attention& a, Out y, Out lse, In q, In k, In v,
                       In bias) {
  const size_t shared = size_t(a.D + a.E + kTile) * sizeof(float);
  by_float_type(ex, q.dtype, [&]<class T>(T) {
    const AttentionPointers<T> p{q.as<T>(), k.as<T>(), v.as<T>(), bias.as<T>()};
    launch(ex, {a.B * a.H * a.L, kTile, shared}, attention_kernel<T>, a, y.as<T>(), lse.as<float>(),
           p);
  });
}

}  // namespace limber::kernels::cuda
