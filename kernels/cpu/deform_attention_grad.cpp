// Deformable attention, backward. A thread owns whole heads of whole samples, and with them all
// pixels that its queries add to.
#include "kernels/cpu/deform_cell.h"
#include "kernels/cpu/rows.h"
#include "kernels/cpu/simd.h"
#include "kernels/deform_attention.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

template <class T>
T dot(const T* a, const T* b, int64_t n) {
  return row_sum<T>(n, [&](int64_t i, int64_t m) { return load(a + i, m) * load(b + i, m); });
}

// One point: adds to the pixels' gradients, writes those of its weight and location (x, y).
template <class T>
void differentiate_point(const DeformAttention& a, int l, const T* value, T* dvalue,
                         const T* location, T weight, const T* dy, T* dlocation, T* dweight) {
  const int64_t H = a.height[l], W = a.width[l];
  dlocation[0] = dlocation[1] = *dweight = 0;
  Cell<T> cell;
  if (!find_cell(cell, location, H, W)) return;
  T slope[4] = {};  // dy . v at each corner
  for (int corner = 0; corner < 4; ++corner) {
    const int64_t pixel = cell.pixel(corner, H, W);
    if (pixel < 0) continue;
    const int64_t at = pixel * a.M * a.D;
    slope[corner] = dot(dy, value + at, a.D);
    const T factor = weight * cell.share(corner);
    T* to = dvalue + at;
    for_lanes<T>(a.D, [&](int64_t d, int64_t m) {
      store(to + d, load(to + d, m) + load(dy + d, m) * factor, m);
    });
    *dweight += cell.share(corner) * slope[corner];
  }
  const T across = (1 - cell.down) * (slope[1] - slope[0]) + cell.down * (slope[3] - slope[2]);
  const T along = (1 - cell.right) * (slope[2] - slope[0]) + cell.right * (slope[3] - slope[1]);
  dlocation[0] = weight * across * T(W);
  dlocation[1] = weight * along * T(H);
}

template <class T>
void differentiate_head(const DeformAttention& a, int64_t n, int64_t m,
                        const DeformAttentionGradients& to, const DeformAttentionInputs& from) {
  const int64_t first = (n * a.S * a.M + m) * a.D, points = a.L * a.P;
  for (int64_t s = 0; s < a.S; ++s)
    __builtin_memset(to.dvalue.as<T>() + first + s * a.M * a.D, 0, size_t(a.D) * sizeof(T));
  for (int64_t q = 0; q < a.Q; ++q) {
    const int64_t row = (n * a.Q + q) * a.M + m;
    int64_t map = first;
    for (int l = 0; l < a.L; ++l) {
      for (int64_t p = 0; p < a.P; ++p) {
        const int64_t i = row * points + l * a.P + p;
        differentiate_point<T>(a, l, from.value.as<T>() + map, to.dvalue.as<T>() + map,
                               from.locations.as<T>() + 2 * i, from.weights.as<T>()[i],
                               from.dy.as<T>() + row * a.D, to.dlocations.as<T>() + 2 * i,
                               to.dweights.as<T>() + i);
      }
      map += a.height[l] * a.width[l] * a.M * a.D;
    }
  }
}

}  // namespace

void deform_attention_backward(const Exec& ex, const DeformAttention& a,
                               const DeformAttentionGradients& to,
                               const DeformAttentionInputs& from) {
  by_float_type(to.dvalue.dtype, [&]<class T>(T) {
    parallel_for(ex, a.N * a.M, 1, [&](int64_t begin, int64_t end) {
      for (int64_t head = begin; head < end; ++head)
        differentiate_head<T>(a, head / a.M, head % a.M, to, from);
    });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
