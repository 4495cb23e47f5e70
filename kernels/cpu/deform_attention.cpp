// Deformable attention, forward: the pixels that one query and head read are listed first, then
// summed with their channels in vectors.
#include "kernels/deform_attention.h"

#include "kernels/cpu/deform_cell.h"
#include "kernels/cpu/simd.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

template <class T>
struct Tap {
  const T* from;  // (D,)
  T weight;
};

// The taps of one query and head; returns their number, 4 L P at most. value: the sample's first
// pixel in this head.
template <class T>
int64_t list_taps(Tap<T>* taps, const DeformAttention& a, const T* value, const T* locations,
                  const T* weights) {
  int64_t count = 0;
  const int64_t pixel_stride = a.M * a.D;
  for (int l = 0; l < a.L; ++l) {
    for (int64_t p = 0; p < a.P; ++p) {
      const int64_t i = l * a.P + p;
      Cell<T> cell;
      if (!find_cell(cell, locations + 2 * i, a.height[l], a.width[l])) continue;
      for (int corner = 0; corner < 4; ++corner) {
        const int64_t pixel = cell.pixel(corner, a.height[l], a.width[l]);
        if (pixel < 0) continue;
        taps[count++] = {value + pixel * pixel_stride, weights[i] * cell.share(corner)};
      }
    }
    value += a.height[l] * a.width[l] * pixel_stride;
  }
  return count;
}

}  // namespace

void deform_attention_forward(const Exec& ex, const DeformAttention& a, Out y, In value,
                              In locations, In weights) {
  by_float_type(y.dtype, [&]<class T>(T) {
    const int64_t samples = a.L * a.P, rows = a.N * a.Q * a.M;
    parallel_for(ex, rows, 1 + 4096 / (samples * a.D), [&](int64_t begin, int64_t end) {
      auto* taps = static_cast<Tap<T>*>(thread_scratch(size_t(4 * samples) * sizeof(Tap<T>)));
      for (int64_t row = begin; row < end; ++row) {
        const int64_t n = row / (a.Q * a.M), m = row % a.M;
        const int64_t count =
            list_taps(taps, a, value.as<T>() + (n * a.S * a.M + m) * a.D,
                      locations.as<T>() + row * samples * 2, weights.as<T>() + row * samples);
        T* to = y.as<T>() + row * a.D;
        for_lanes<T>(a.D, [&](int64_t d, int64_t width) {
          Vec<T> total{};
          for (int64_t t = 0; t < count; ++t)
            total += load(taps[t].from + d, width) * taps[t].weight;
          store(to + d, total, width);
        });
      }
    });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
