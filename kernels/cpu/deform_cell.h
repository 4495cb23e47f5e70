// Where a location falls into a map, for deformable attention and its gradient.
#pragma once

#include "kernels/cpu/simd.h"

namespace limber::kernels::cpu::LIMBER_ISA {

// Four pixels around a point, corner c at row y + c / 2 and column x + c % 2. `share` is what each
// of them contributes, 0 outside of the map.
template <class T>
struct Cell {
  int64_t x = 0, y = 0;
  T right = 0, down = 0;  // how far the point lies from the upper left pixel, in pixels

  LIMBER_INLINE T share(int corner) const {
    return (corner % 2 == 0 ? 1 - right : right) * (corner / 2 == 0 ? 1 - down : down);
  }
  // Pixel number of the corner in a map of H x W, or -1 outside of it.
  LIMBER_INLINE int64_t pixel(int corner, int64_t H, int64_t W) const {
    const int64_t row = y + corner / 2, column = x + corner % 2;
    return row >= 0 && row < H && column >= 0 && column < W ? row * W + column : -1;
  }
};

// False where all four pixels lie outside, and for a location that is not a number.
template <class T>
LIMBER_INLINE bool find_cell(Cell<T>& cell, const T* location, int64_t H, int64_t W) {
  const T px = location[0] * T(W) - T(0.5), py = location[1] * T(H) - T(0.5);
  if (!(px > -1 && px < T(W) && py > -1 && py < T(H))) return false;
  cell.x = int64_t(px + 1) - 1;
  if (T(cell.x) > px) --cell.x;  // px + 1 was rounded up to a whole number
  cell.y = int64_t(py + 1) - 1;
  if (T(cell.y) > py) --cell.y;
  cell.right = px - T(cell.x);
  cell.down = py - T(cell.y);
  return true;
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
