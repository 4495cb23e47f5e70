// Deformable attention, forward: one thread per number of the result.
#include "kernels/cuda/deform_attention.cuh"

namespace limber::kernels::cuda {
namespace {

template <class T>
__global__ void deform_attention_kernel(DeformAttention a, T* y, const T* value, const T* locations,
                                        const T* weights, int64_t elements) {
  const int64_t points = a.L * a.P;
  for (for_each_item(i, elements)) {
    const int64_t row = i / a.D, d = i % a.D;
    float total = 0;
    for (int64_t at = row * points; at < (row + 1) * points; ++at) {
      const Point point = point_number(a, at);
      Place place;
      if (find_place(place, a, point.level, locations + at * 2))
        total += widen(weights[at]) *
                 read_place(place, place.factor, value + point.first + d, a.M * a.D);
    }
    y[i] = narrow<T>(total);
  }
}

}  // namespace

void deform_attention_forward(const Exec& ex, const DeformAttention& a, Out y, In value,
                              In locations, In weights) {
  const int64_t elements = a.N * a.Q * a.M * a.D;
  by_float_type(ex, y.dtype, [&]<class T>(T) {
    launch(ex, one_each(elements), deform_attention_kernel<T>, a, y.as<T>(), value.as<T>(),
           locations.as<T>(), weights.as<T>(), elements);
  });
}

}  // namespace limber::kernels::cuda
