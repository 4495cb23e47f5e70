// Where a tap of a deformable convolution reads, shared by its kernels.
#pragma once

#include "kernels/cpu/simd.h"
#include "kernels/deform_conv.h"

namespace limber::kernels::cpu::LIMBER_ISA {

// Four pixels of the image (H W of them), the factor of each, and the derivatives of the factors by
// row and column; pixels outside of the image have factors of 0.
template <class T>
struct Place {
  int64_t at[4];
  T factor[4], by_row[4], by_column[4];
};

// The place that is read for offset channels `offset`, (dh, dw), of the tap that stands at (h, w).
// False where nothing of the image is read.
template <class T>
LIMBER_INLINE bool find_place(Place<T>& place, const Conv& s, int64_t h, int64_t w,
                              const T* offset) {
  const T row = T(h) + offset[0], column = T(w) + offset[1];
  // Not a number is outside, too.
  if (!(row > -1 && row < T(s.H) && column > -1 && column < T(s.W))) return false;
  int64_t top = int64_t(row), left = int64_t(column);
  if (T(top) > row) --top;
  if (T(left) > column) --left;
  const T down = row - T(top), right = column - T(left);
  // Nearly every place is inside with all four pixels, and then none of them is asked about.
  const bool whole = top >= 0 && left >= 0 && top + 1 < s.H && left + 1 < s.W;
  for (int i = 0; i < 4; ++i) {
    const int64_t y = top + i / 2, x = left + i % 2;
    const bool inside = whole || (y >= 0 && y < s.H && x >= 0 && x < s.W);
    const T fy = i / 2 == 0 ? 1 - down : down, fx = i % 2 == 0 ? 1 - right : right;
    place.at[i] = inside ? y * s.W + x : 0;
    place.factor[i] = inside ? fy * fx : T(0);
    place.by_row[i] = inside ? (i / 2 == 0 ? -fx : fx) : T(0);
    place.by_column[i] = inside ? (i % 2 == 0 ? -fy : fy) : T(0);
  }
  return true;
}

// m channels from `image` (at channel c of pixel 0) on, weighted by `factor`.
template <class T>
LIMBER_INLINE Vec<T> read_place(const Place<T>& place, const T* factor, const T* image, int64_t C,
                                int64_t m) {
  Vec<T> value = load(image + place.at[0] * C, m) * factor[0];
  for (int i = 1; i < 4; ++i) value += load(image + place.at[i] * C, m) * factor[i];
  return value;
}

// body(c0, c1): channels [begin, end) cut where an offset group of `size` channels ends.
template <class Body>
LIMBER_INLINE void for_groups(int64_t begin, int64_t end, int64_t size, const Body& body) {
  for (int64_t c = begin; c < end;) {
    const int64_t next = (c / size + 1) * size;
    const int64_t stop = next < end ? next : end;
    body(c, stop);
    c = stop;
  }
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
