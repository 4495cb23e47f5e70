// The gradient of resizing: one thread per element of the image collects from the results that read
// it, so every sum has one order.
#include "kernels/cuda/resize.cuh"

namespace limber::kernels::cuda {
namespace {

// Results [first, last) along one axis, all those among them that can read element h: where they
// sample grows with their index, and they read less than `reach` elements far. What lies outside of
// the image reads its edge.
struct Range {
  int64_t first, last;
};
template <int K>
__device__ Range readers_of(int64_t in, int64_t out, bool align_corners, int64_t h) {
  constexpr double reach = K == 4 ? 2 : 1;
  const bool corners = align_corners && K > 1;
  const double ratio = corners ? double(out - 1) / double(in > 1 ? in - 1 : 1) : double(out) / in;
  const double shift = corners ? 0 : 0.5;
  const int64_t first = int64_t(floor((double(h) - reach + shift) * ratio - shift)) - 1;
  const int64_t last = int64_t(ceil((double(h) + reach + shift) * ratio - shift)) + 2;
  return {h == 0 || first < 0 ? 0 : first, h == in - 1 || last > out ? out : last};
}

// The weight of element h in result i.
template <int K>
__device__ float weight_of(int64_t in, int64_t out, bool align_corners, int64_t i, int64_t h) {
  const auto taps = taps_at<float, K>(in, out, align_corners, i);
  float total = 0;
  for (int k = 0; k < K; ++k) total += taps.at[k] == h ? taps.weight[k] : 0.0f;
  return total;
}

template <class T, int K>
__global__ void resize_grad_kernel(T* dx, const T* dy, ResizeShape s, int64_t elements) {
  for (for_each_item(at, elements)) {
    const int64_t c = at % s.C, w = at / s.C % s.W, h = at / s.C / s.W % s.H;
    const T* result = dy + at / s.C / s.W / s.H * s.h * s.w * s.C + c;
    const Range rows = readers_of<K>(s.H, s.h, s.align_corners, h);
    const Range columns = readers_of<K>(s.W, s.w, s.align_corners, w);
    float total = 0;
    for (int64_t i = rows.first; i < rows.last; ++i) {
      const float of_row = weight_of<K>(s.H, s.h, s.align_corners, i, h);
      if (of_row == 0) continue;
      float row = 0;
      for (int64_t j = columns.first; j < columns.last; ++j) {
        const float of_column = weight_of<K>(s.W, s.w, s.align_corners, j, w);
        if (of_column != 0) row += of_column * widen(result[(i * s.w + j) * s.C]);
      }
      total += of_row * row;
    }
    dx[at] = narrow<T>(total);
  }
}

}  // namespace

void resize_backward(const Exec& ex, Out dx, In dy, const ResizeShape& s) {
  const int64_t n = s.N * s.H * s.W * s.C;
  by_float_type(ex, dy.dtype, [&]<class T>(T) {
    by_taps(s.filter, [&]<int K>(TapCount<K>) {
      launch(ex, one_each(n), resize_grad_kernel<T, K>, dx.as<T>(), dy.as<T>(), s, n);
    });
  });
}

}  // namespace limber::kernels::cuda
