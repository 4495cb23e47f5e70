// Statistics of channel groups, and the affine map that applies them. Statistics, weight and bias
// are f32 whatever x is.
#include "kernels/norm.h"

#include "kernels/cuda/columns.cuh"
#include "kernels/cuda/reduce.cuh"

namespace limber::kernels::cuda {
namespace {

// Mean and sum of squared deviations of each column over one chunk of a sample's rows, in two
// passes: a sum of squares minus the square of a sum would cancel where the mean is large.
// parts: (N, chunks, 2, C).
template <class T>
__global__ void chunk_statistics_kernel(float* parts, const T* x, NormShape s, Chunks chunks) {
  for (for_each_item(at, s.N * chunks.count * s.C)) {
    const int64_t c = at % s.C, chunk = at / s.C % chunks.count, n = at / s.C / chunks.count;
    const int64_t first = chunk * chunks.rows;
    const int64_t last = first + chunks.rows < s.L ? first + chunks.rows : s.L;
    const T* column = x + n * s.L * s.C + c;
    float mean = 0, deviations = 0;
    for (int64_t l = first; l < last; ++l) mean += widen(column[l * s.C]);
    mean /= float(last - first);
    for (int64_t l = first; l < last; ++l) {
      const float d = widen(column[l * s.C]) - mean;
      deviations += d * d;
    }
    float* part = parts + (n * chunks.count + chunk) * 2 * s.C + c;
    part[0] = mean;
    part[s.C] = deviations;
  }
}

// One block per group joins the chunks of its channels (Chan, Golub and LeVeque 1983): deviations
// about the common mean are those about the chunks' means plus what the means themselves deviate.
__global__ void merge_statistics_kernel(float* mean, float* var, const float* parts, NormShape s,
                                        Chunks chunks) {
  const int64_t D = s.C / s.G, n = blockIdx.x / s.G, g = blockIdx.x % s.G;
  const float* from = parts + n * chunks.count * 2 * s.C + g * D;
  const float total = float(s.L) * float(D);
  float sum = 0;
  for (int64_t i = threadIdx.x; i < chunks.count * D; i += blockDim.x) {
    const int64_t chunk = i / D, first = chunk * chunks.rows;
    const float rows = float(first + chunks.rows < s.L ? chunks.rows : s.L - first);
    sum += rows * from[chunk * 2 * s.C + i % D];
  }
  const float center = total > 0 ? block_sum(sum) / total : 0;
  float deviations = 0;
  for (int64_t i = threadIdx.x; i < chunks.count * D; i += blockDim.x) {
    const int64_t chunk = i / D, first = chunk * chunks.rows;
    const float rows = float(first + chunks.rows < s.L ? chunks.rows : s.L - first);
    const float* part = from + chunk * 2 * s.C + i % D;
    const float off = part[0] - center;
    deviations += part[s.C] + rows * off * off;
  }
  deviations = block_sum(deviations);
  if (threadIdx.x != 0) return;
  mean[blockIdx.x] = center;
  var[blockIdx.x] = total > 0 ? deviations / total : 0;
}

template <class T>
__global__ void norm_apply_kernel(T* y, const T* x, const float* mean, const float* rstd,
                                  const float* weight, const float* bias, NormShape s) {
  for (for_each_item(at, s.N * s.L * s.C)) {
    const int64_t c = at % s.C, n = at / s.C / s.L, group = n * s.G + c / (s.C / s.G);
    const float factor = rstd[group] * (weight != nullptr ? weight[c] : 1.0f);
    const float offset = bias != nullptr ? bias[c] : 0.0f;
    y[at] = narrow<T>((widen(x[at]) - mean[group]) * factor + offset);
  }
}

__global__ void inverse_deviation_kernel(float* rstd, const float* var, int64_t n, float eps) {
  for (for_each_item(i, n)) rstd[i] = 1.0f / sqrtf(var[i] + eps);
}

__global__ void move_average_kernel(float* running, const float* value, int64_t n, float keep,
                                    float share) {
  for (for_each_item(i, n)) running[i] = running[i] * keep + value[i] * share;
}

}  // namespace

void norm_statistics(const Exec& ex, Out mean, Out var, In x, NormShape s) {
  const Chunks chunks = chunks_of(s.N, s.L, s.C);
  const Scratch<float> parts(ex, s.N * chunks.count * 2 * s.C);
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    launch(ex, one_each(s.N * chunks.count * s.C), chunk_statistics_kernel<T>, parts.data(),
           x.as<T>(), s, chunks);
  });
  launch(ex, {s.N * s.G, 128}, merge_statistics_kernel, mean.as<float>(), var.as<float>(),
         parts.data(), s, chunks);
}

void norm_apply(const Exec& ex, Out y, In x, In mean, In rstd, In weight, In bias, NormShape s) {
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    launch(ex, one_each(s.N * s.L * s.C), norm_apply_kernel<T>, y.as<T>(), x.as<T>(),
           mean.as<float>(), rstd.as<float>(), weight.as<float>(), bias.as<float>(), s);
  });
}

void inverse_deviation(const Exec& ex, Out rstd, In var, int64_t n, double eps) {
  launch(ex, one_each(n), inverse_deviation_kernel, rstd.as<float>(), var.as<float>(), n, eps);
}

void move_average(const Exec& ex, Out running, In value, int64_t n, double momentum,
                  double factor) {
  launch(ex, one_each(n), move_average_kernel, running.as<float>(), value.as<float>(), n,
         1 - momentum, momentum * factor);
}

}  // namespace limber::kernels::cuda
