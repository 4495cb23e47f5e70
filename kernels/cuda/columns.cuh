// Sums over the rows of a matrix, several at once: how norms, biases and slopes get their
// gradients.
//
// The rows of each sample are cut into chunks whose length depends on the extents alone. One thread
// adds up one column of one chunk, then one thread per column adds the chunks: coalesced reads, no
// atomics, the same bits every time.
#pragma once

#include "kernels/cuda/launch.cuh"

namespace limber::kernels::cuda {

struct Chunks {
  int64_t rows, count;  // rows of a chunk; chunks of a sample
};

// Enough chunks that all columns together keep a GPU busy, none shorter than 32 rows.
inline Chunks chunks_of(int64_t samples, int64_t rows, int64_t columns) {
  const int64_t wanted = divide_up(int64_t{1} << 16, samples * columns > 0 ? samples * columns : 1);
  const int64_t longest = divide_up(rows, wanted);
  const int64_t length = longest < 32 ? 32 : longest;
  return {length, divide_up(rows, length)};
}

// parts[(n, chunk, k, c)] = the sum over the chunk's rows of term(n, row, c, sums), which adds to
// K sums at once.   row counts from the sample's first one.
template <int K, class Term>
__global__ void chunk_sums_kernel(Term term, float* parts, int64_t samples, int64_t rows,
                                  int64_t columns, Chunks chunks) {
  for (for_each_item(at, samples * chunks.count * columns)) {
    const int64_t c = at % columns, chunk = at / columns % chunks.count;
    const int64_t n = at / columns / chunks.count;
    float sums[K] = {};
    const int64_t first = chunk * chunks.rows;
    const int64_t last = first + chunks.rows < rows ? first + chunks.rows : rows;
    for (int64_t row = first; row < last; ++row) term(n, row, c, sums);
    for (int k = 0; k < K; ++k) parts[((n * chunks.count + chunk) * K + k) * columns + c] = sums[k];
  }
}

// sums[(n, k, c)] = the sum of the chunks.
__global__ void merge_chunks_kernel(float* sums, const float* parts, int64_t samples, int64_t width,
                                    int64_t count);

// sums: (samples, K, columns) of floats.
template <int K, class Term>
void column_sums(const Exec& ex, const Term& term, float* sums, int64_t samples, int64_t rows,
                 int64_t columns) {
  const Chunks chunks = chunks_of(samples, rows, columns);
  const Scratch<float> parts(ex, samples * chunks.count * K * columns);
  launch(ex, one_each(samples * chunks.count * columns), chunk_sums_kernel<K, Term>, term,
         parts.data(), samples, rows, columns, chunks);
  launch(ex, one_each(samples * K * columns), merge_chunks_kernel, sums, parts.data(), samples,
         K * columns, chunks.count);
}

}  // namespace limber::kernels::cuda
