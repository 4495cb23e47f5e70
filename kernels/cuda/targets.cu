// Bell curves: one thread per number. A map's factors are computed for each of its numbers anew,
// which is less work than a pass that would keep them.
#include "kernels/targets.h"

#include "kernels/cuda/launch.cuh"

namespace limber::kernels::cuda {
namespace {

__device__ float value_at(const Bell& b, int64_t i) {
  const int64_t step = i - b.first;
  if (step < 0 || step >= b.count) return b.base;
  const float d = float(double(step) - b.centre);
  return float(b.height) * expf(float(b.factor) * d * d);
}

__global__ void lines_kernel(float* y, const Bell* bells, int64_t width, int64_t n) {
  for (for_each_item(i, n)) y[i] = value_at(bells[i / width], i % width);
}

__global__ void maps_kernel(float* y, const Bell* bells, int64_t N, int64_t H, int64_t W,
                            int64_t n) {
  for (for_each_item(i, n)) {
    const Bell* bell = bells + i / (H * W) * N * 2;
    float top = 0;
    for (int64_t k = 0; k < N; ++k, bell += 2)
      top = fmaxf(top, value_at(bell[0], i % W) * value_at(bell[1], i / W % H));
    y[i] = top;
  }
}

}  // namespace

void draw_lines(const Exec& ex, Out y, In bells, int64_t rows, int64_t n) {
  launch(ex, one_each(rows * n), lines_kernel, y.as<float>(), bells.as<Bell>(), n, rows * n);
}

void draw_maps(const Exec& ex, Out y, In bells, int64_t K, int64_t N, int64_t H, int64_t W) {
  launch(ex, one_each(K * H * W), maps_kernel, y.as<float>(), bells.as<Bell>(), N, H, W, K * H * W);
}

}  // namespace limber::kernels::cuda
