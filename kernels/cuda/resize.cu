// Resizing: one thread per number of the result weighs K x K numbers of the image.
#include "kernels/resize.h"

#include "kernels/cuda/resize.cuh"

namespace limber::kernels::cuda {
namespace {

template <class T, int K>
__global__ void resize_kernel(T* y, const T* x, ResizeShape s, int64_t elements) {
  for (for_each_item(at, elements)) {
    const int64_t c = at % s.C, j = at / s.C % s.w, i = at / s.C / s.w % s.h;
    const T* image = x + at / s.C / s.w / s.h * s.H * s.W * s.C + c;
    const auto rows = taps_at<float, K>(s.H, s.h, s.align_corners, i);
    const auto columns = taps_at<float, K>(s.W, s.w, s.align_corners, j);
    float total = 0;
    for (int r = 0; r < K; ++r) {
      float row = 0;
      for (int k = 0; k < K; ++k)
        row += columns.weight[k] * widen(image[(rows.at[r] * s.W + columns.at[k]) * s.C]);
      total += rows.weight[r] * row;
    }
    y[at] = narrow<T>(total);
  }
}

}  // namespace

void resize_forward(const Exec& ex, Out y, In x, const ResizeShape& s) {
  const int64_t n = s.N * s.h * s.w * s.C;
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    by_taps(s.filter, [&]<int K>(TapCount<K>) {
      launch(ex, one_each(n), resize_kernel<T, K>, y.as<T>(), x.as<T>(), s, n);
    });
  });
}

}  // namespace limber::kernels::cuda
