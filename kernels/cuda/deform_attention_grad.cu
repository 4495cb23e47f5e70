// Gradients of deformable attention. Any query may read any pixel, so the gradient of the values is
// scattered.
#include "kernels/cuda/deform_attention.cuh"
#include "kernels/cuda/scatter.cuh"

namespace limber::kernels::cuda {
namespace {

// No term of row's (n, q, m) is larger than its largest |weight| times its largest |dy|.
template <class T>
struct RowBound {
  DeformAttention a;
  const T *weights, *dy;
  __device__ float largest(const T* x, int64_t n) const {
    float top = 0;
    for (int64_t i = 0; i < n; ++i) top = Larger()(top, fabsf(widen(x[i])));
    return top;
  }
  __device__ float operator()(int64_t row) const {
    const int64_t points = a.L * a.P;
    return largest(weights + row * points, points) * largest(dy + row * a.D, a.D);
  }
};

// One thread per point and channel.
template <class T>
__global__ void value_scatter_kernel(DeformAttention a, Scatter to, const T* locations,
                                     const T* weights, const T* dy, int64_t elements) {
  const double scale = to.scale();
  for (for_each_item(i, elements)) {
    const int64_t d = i % a.D, at = i / a.D;
    const Point point = point_number(a, at);
    Place place;
    if (!find_place(place, a, point.level, locations + at * 2)) continue;
    const float term = widen(weights[at]) * widen(dy[point.row * a.D + d]);
    for (int corner = 0; corner < 4; ++corner)
      if (place.factor[corner] != 0)
        to.add(point.first + place.at[corner] * a.M * a.D + d, term * place.factor[corner], scale);
  }
}

// One thread per point: the gradients of its location (x, y) and of its weight.
template <class T>
__global__ void point_grad_kernel(DeformAttention a, T* dlocations, T* dweights, const T* value,
                                  const T* locations, const T* weights, const T* dy,
                                  int64_t points) {
  for (for_each_item(at, points)) {
    const Point point = point_number(a, at);
    float row = 0, column = 0, weight = 0;
    Place place;
    if (find_place(place, a, point.level, locations + at * 2)) {
      for (int64_t d = 0; d < a.D; ++d) {
        const float grad = widen(dy[point.row * a.D + d]);
        const T* image = value + point.first + d;
        weight += grad * read_place(place, place.factor, image, a.M * a.D);
        row += grad * read_place(place, place.by_row, image, a.M * a.D);
        column += grad * read_place(place, place.by_column, image, a.M * a.D);
      }
    }
    const float own = widen(weights[at]);
    dlocations[at * 2] = narrow<T>(own * column * float(a.width[point.level]));
    dlocations[at * 2 + 1] = narrow<T>(own * row * float(a.height[point.level]));
    dweights[at] = narrow<T>(weight);
  }
}

}  // namespace

void deform_attention_backward(const Exec& ex, const DeformAttention& a,
                               const DeformAttentionGradients& to,
                               const DeformAttentionInputs& from) {
  const int64_t rows = a.N * a.Q * a.M, points = rows * a.L * a.P;
  by_float_type(ex, from.value.dtype, [&]<class T>(T) {
    const T *value = from.value.as<T>(), *locations = from.locations.as<T>();
    const T *weights = from.weights.as<T>(), *dy = from.dy.as<T>();
    launch(ex, one_each(points), point_grad_kernel<T>, a, to.dlocations.as<T>(),
           to.dweights.as<T>(), value, locations, weights, dy, points);
    const ScatterSums sums(ex, a.N * a.S * a.M * a.D);
    sums.bound(RowBound<T>{a, weights, dy}, rows);
    launch(ex, one_each(points * a.D), value_scatter_kernel<T>, a, sums.view(), locations, weights,
           dy, points * a.D);
    sums.store(to.dvalue.as<T>());
  });
}

}  // namespace limber::kernels::cuda
