// Gradient of resizing: each row of the image collects from the rows of the result that took from
// it, so that rows are independent.
#include "kernels/cpu/resize_taps.h"
#include "kernels/cpu/simd.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

struct Range {
  int64_t begin, end;
};

// ranges[h]: the rows of the result that may take from row h.
template <class T, int K>
void find_users(Range* ranges, const Taps<T, K>* rows, int64_t H, int64_t h) {
  for (int64_t r = 0; r < H; ++r) ranges[r] = {h, 0};
  for (int64_t i = 0; i < h; ++i)
    for (int64_t at : rows[i].at) {
      if (i < ranges[at].begin) ranges[at].begin = i;
      ranges[at].end = i + 1;
    }
}

// dx += factor * what one row of the result sends to its columns.
template <class T, int K>
void spread_row(T* dx, const T* dy, T factor, const Taps<T, K>* columns, const ResizeShape& s) {
  for (int64_t j = 0; j < s.w; ++j) {
    const Taps<T, K>& column = columns[j];
    for_lanes<T>(s.C, [&](int64_t c, int64_t m) {
      const Vec<T> grad = load(dy + j * s.C + c, m) * factor;
      for (int k = 0; k < K; ++k) {
        T* to = dx + column.at[k] * s.C + c;
        store(to, load(to, m) + grad * column.weight[k], m);
      }
    });
  }
}

}  // namespace

void resize_backward(const Exec& ex, Out dx, In dy, const ResizeShape& s) {
  by_float_type(dx.dtype, [&]<class T>(T) {
    by_taps(s.filter, [&]<int K>(Count<K>) {
      const AxisTaps<T, K> taps = make_taps<T, K>(s, s.H * int64_t(sizeof(Range)));
      Range* users = static_cast<Range*>(taps.rest);
      find_users(users, taps.rows, s.H, s.h);
      const int64_t row = s.W * s.C, result = s.w * s.C;
      parallel_for(ex, s.N * s.H, 4096 / (row + 1) + 1, [&](int64_t begin, int64_t end) {
        for (int64_t job = begin; job < end; ++job) {
          const int64_t n = job / s.H, r = job % s.H;
          T* to = dx.as<T>() + job * row;
          for_lanes<T>(row, [&](int64_t i, int64_t m) { store(to + i, Vec<T>{}, m); });
          for (int64_t i = users[r].begin; i < users[r].end; ++i) {
            T factor = 0;
            for (int k = 0; k < K; ++k)
              factor += taps.rows[i].at[k] == r ? taps.rows[i].weight[k] : T(0);
            if (factor != 0)
              spread_row(to, dy.as<T>() + (n * s.h + i) * result, factor, taps.columns, s);
          }
        }
      });
    });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
