// Depthwise convolution, the weight gradient: sums over the positions of a chunk, then over the
// chunks in their order.
#include "kernels/cpu/depthwise.h"
#include "kernels/cpu/tile.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

constexpr int kTapsAtOnce = 5;  // sums in registers; 3 x 3 takes two rounds, 5 x 5 five

// sums[t][c] = sum over positions of dy[position, c] x[position + offset[t], c], t < Count.
template <int Count>
void sum_taps(float* sums, const Gather& g, const Chunk& chunk, int64_t rows, const float* dy,
              const int64_t* offset) {
  const int64_t C = g.C, step = g.step_w * C;
  for_lanes<float>(C, [&](int64_t c, int64_t n) {
    Vec<float> sum[Count] = {};
    for (int64_t row = 0; row < rows; ++row) {
      const float *x = chunk.start[row] + c, *grad = dy + row * g.columns * C + c;
      for (int64_t q = 0; q < g.columns; ++q, x += step, grad += C) {
        const Vec<float> d = load(grad, n);
        for (int t = 0; t < Count; ++t) sum[t] += d * load(x + offset[t], n);
      }
    }
    for (int t = 0; t < Count; ++t) store(sums + t * C + c, sum[t], n);
  });
}

}  // namespace

void depthwise_weight(const Exec& ex, const Conv& s, float* dweight, const float* x,
                      const float* dy) {
  const Gather g = windows_of(s, x);
  int64_t offset[kMaxTaps * kMaxTaps];
  const int64_t taps = tap_offsets(g, offset), C = s.C, rows = s.N * s.P;
  // A quarter of the usual chunk: small maps make work for all threads as well.
  const int64_t step = (chunk_rows(g, rows) + 3) / 4, chunks = (rows + step - 1) / step;
  const int64_t partial_size = chunks * taps * C;
  const size_t bytes = size_t(partial_size + chunk_size(g, step)) * sizeof(float);
  // Every thread asks for as much, so the calling thread's own part lies behind the shared one.
  float* partial = static_cast<float*>(thread_scratch(bytes));
  parallel_for(ex, chunks, 1, [&](int64_t begin, int64_t end) {
    float* border = static_cast<float*>(thread_scratch(bytes)) + partial_size;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t row = i * step, count = rest(rows, row, step);
      Chunk chunk;
      load_chunk(g, row, count, border, chunk);
      const float* grads = dy + row * s.Q * C;
      float* sums = partial + i * taps * C;
      int64_t t = 0;
      for (; t + kTapsAtOnce <= taps; t += kTapsAtOnce)
        sum_taps<kTapsAtOnce>(sums + t * C, g, chunk, count, grads, offset + t);
      for (; t < taps; ++t) sum_taps<1>(sums + t * C, g, chunk, count, grads, offset + t);
    }
  });
  for (int64_t t = 0; t < taps; ++t) {
    for (int64_t c = 0; c < C; ++c) {
      float total = 0;
      for (int64_t i = 0; i < chunks; ++i) total += partial[(i * taps + t) * C + c];
      dweight[c * taps + t] = total;
    }
  }
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
