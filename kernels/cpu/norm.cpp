// Statistics of channel groups, and the affine map that applies them.
#include "kernels/norm.h"

#include "kernels/cpu/columns.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

// Mean and sum of squared deviations of each column over one block's rows. Two passes, the second
// from the cache: a sum of squares minus the square of a sum would cancel where the mean is large.
template <class T>
void block_statistics(T* mean, T* deviations, const T* x, int64_t rows, int64_t C) {
  block_sums<1>(mean, 0, rows, C, [&](Vec<T>* sum, int64_t row, int64_t i, int64_t m) {
    sum[0] += load(x + row * C + i, m);
  });
  for_lanes<T>(
      C, [&](int64_t i, int64_t m) { store(mean + i, load(mean + i, m) * (T(1) / T(rows)), m); });
  block_sums<1>(deviations, 0, rows, C, [&](Vec<T>* sum, int64_t row, int64_t i, int64_t m) {
    const Vec<T> d = load(x + row * C + i, m) - load(mean + i, m);
    sum[0] += d * d;
  });
}

// The same of one sample's `width` columns from the statistics of its blocks (Chan, Golub and
// LeVeque 1983): deviations about the common mean are those about the blocks' means plus what the
// means themselves deviate. parts: (blocks, 2, C) from the first of the columns on.
template <class T>
void merge_blocks(double* mean, double* deviations, const T* parts, const RowBlocks& b, int64_t L,
                  int64_t C, int64_t width) {
  const auto rows_of = [&](int64_t k) {
    return double(block_end(k * b.rows, b.rows, L) - k * b.rows);
  };
  for (int64_t j = 0; j < width; ++j) mean[j] = deviations[j] = 0;
  for (int64_t k = 0; k < b.count; ++k)
    for (int64_t j = 0; j < width; ++j)
      mean[j] += rows_of(k) / double(L) * double(parts[k * 2 * C + j]);
  for (int64_t k = 0; k < b.count; ++k)
    for (int64_t j = 0; j < width; ++j) {
      const double d = double(parts[k * 2 * C + j]) - mean[j];
      deviations[j] += double(parts[(k * 2 + 1) * C + j]) + rows_of(k) * d * d;
    }
}

// Mean and variance of each group of D channels of L numbers.
template <class T>
void merge_channels(T* mean, T* var, const double* means, const double* deviations, int64_t G,
                    int64_t D, int64_t L) {
  for (int64_t g = 0; g < G; ++g) {
    double center = 0, total = 0;
    for (int64_t d = 0; d < D; ++d) center += means[g * D + d];
    center /= double(D);
    for (int64_t d = 0; d < D; ++d) {
      const double off = means[g * D + d] - center;
      total += deviations[g * D + d] + double(L) * off * off;
    }
    mean[g] = T(center);
    var[g] = T(L > 0 ? total / double(D * L) : 0);
  }
}

}  // namespace

void norm_statistics(const Exec& ex, Out mean, Out var, In x, NormShape s) {
  by_float_type(x.dtype, [&]<class T>(T) {
    const RowBlocks b = row_blocks(s.L, s.C);
    double* channels = static_cast<double*>(
        thread_scratch(size_t(s.N * s.C * 2) * (sizeof(double) + size_t(b.count) * sizeof(T))));
    T* parts = reinterpret_cast<T*>(channels + s.N * s.C * 2);
    for_row_blocks(ex, s.N, s.L, s.C, [&](int64_t block, int64_t n, int64_t first, int64_t last) {
      T* part = parts + block * 2 * s.C;
      block_statistics(part, part + s.C, x.as<T>() + (n * s.L + first) * s.C, last - first, s.C);
    });
    const int64_t chunks = (s.C + kChunk - 1) / kChunk;
    const int64_t grain = 4096 / (b.count * kChunk + 1) + 1;
    parallel_for(ex, s.N * chunks, grain, [&](int64_t begin, int64_t end) {
      for (int64_t job = begin; job < end; ++job) {
        const int64_t n = job / chunks, c = job % chunks * kChunk;
        double* to = channels + n * 2 * s.C + c;
        merge_blocks(to, to + s.C, parts + n * b.count * 2 * s.C + c, b, s.L, s.C,
                     block_end(c, kChunk, s.C) - c);
      }
    });
    for (int64_t n = 0; n < s.N; ++n) {
      const double* from = channels + n * 2 * s.C;
      merge_channels(mean.as<T>() + n * s.G, var.as<T>() + n * s.G, from, from + s.C, s.G,
                     s.C / s.G, s.L);
    }
  });
}

void norm_apply(const Exec& ex, Out y, In x, In mean, In rstd, In weight, In bias, NormShape s) {
  by_float_type(x.dtype, [&]<class T>(T) {
    // Per sample and channel: what is subtracted, what is multiplied by, what is added.
    T* maps = static_cast<T*>(thread_scratch(size_t(s.N * 3 * s.C) * sizeof(T)));
    const T *w = weight.as<T>(), *b = bias.as<T>();
    for (int64_t n = 0; n < s.N; ++n)
      for (int64_t c = 0; c < s.C; ++c) {
        const int64_t group = n * s.G + c / (s.C / s.G);
        T* map = maps + n * 3 * s.C + c;
        map[0] = mean.as<T>()[group];
        map[s.C] = rstd.as<T>()[group] * (w != nullptr ? w[c] : T(1));
        map[2 * s.C] = b != nullptr ? b[c] : T(0);
      }
    for_row_blocks(ex, s.N, s.L, s.C, [&](int64_t, int64_t n, int64_t first, int64_t last) {
      const T *center = maps + n * 3 * s.C, *factor = center + s.C, *offset = factor + s.C;
      for (int64_t row = n * s.L + first; row < n * s.L + last; ++row) {
        const T* from = x.as<T>() + row * s.C;
        T* to = y.as<T>() + row * s.C;
        for_lanes<T>(s.C, [&](int64_t i, int64_t m) {
          const Vec<T> v = load(from + i, m) - load(center + i, m);
          store(to + i, v * load(factor + i, m) + load(offset + i, m), m);
        });
      }
    });
  });
}

void inverse_deviation(const Exec&, Out rstd, In var, int64_t n, double eps) {
  by_float_type(var.dtype, [&]<class T>(T) {
    for_lanes<T>(n, [&](int64_t i, int64_t m) {
      store(rstd.as<T>() + i, T(1) / sqrt<T>(load(var.as<T>() + i, m) + T(eps)), m);
    });
  });
}

void move_average(const Exec&, Out running, In value, int64_t n, double momentum, double factor) {
  by_float_type(value.dtype, [&]<class T>(T) {
    T* to = running.as<T>();
    for_lanes<T>(n, [&](int64_t i, int64_t m) {
      const Vec<T> v = load(value.as<T>() + i, m);
      store(to + i, load(to + i, m) * T(1 - momentum) + v * T(momentum * factor), m);
    });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
