// More than the instruction set of this file, so functions say with an attribute what they use, and
// stay inside of it: only matrix_unit() decides whether they are called.
#include "kernels/cpu/narrow_units.h"

namespace limber::kernels::cpu::LIMBER_ISA {

#if defined(LIMBER_ISA_avx512)
namespace {

// ---- dot products: 12 positions by 2 vectors of filters, as in tile.h, but a quad at a time.

constexpr int kDotRows = 12;

#define LIMBER_DOT_TARGET __attribute__((target("avx512bf16,avx512vnni")))

LIMBER_DOT_TARGET LIMBER_INLINE __m512 multiply_add(__m512 sum, __m512i x, __m512i w) {
  return _mm512_dpbf16_ps(sum, (__m512bh)x, (__m512bh)w);
}
LIMBER_DOT_TARGET LIMBER_INLINE __m512i multiply_add(__m512i sum, __m512i x, __m512i w) {
  return _mm512_dpbusd_epi32(sum, x, w);
}

// Sums: __m512 for bf16, __m512i for int8.
template <class Sums>
LIMBER_DOT_TARGET void dot_block(const NarrowBlock& b) {
  Sums sum[kDotRows][2] = {};
  const uint8_t* panel = b.panel;
  for (int64_t r = 0; r < b.run_count; ++r) {
    const uint8_t* x[kDotRows];
#pragma GCC unroll 16
    for (int i = 0; i < kDotRows; ++i)
      x[i] = b.x + b.runs[r].offset + (i < b.rows ? i : 0) * b.step;
    const uint8_t* w = panel;
#pragma GCC unroll 1
    for (int64_t k = 0; k < b.runs[r].quads; ++k, w += 4 * kFilters) {
      const __m512i w0 = _mm512_loadu_si512(w), w1 = _mm512_loadu_si512(w + 64);
#pragma GCC unroll 16
      for (int i = 0; i < kDotRows; ++i) {
        int quad;
        __builtin_memcpy(&quad, x[i] + 4 * k, sizeof quad);
        const __m512i both = _mm512_set1_epi32(quad);
        sum[i][0] = multiply_add(sum[i][0], both, w0);
        sum[i][1] = multiply_add(sum[i][1], both, w1);
      }
    }
    panel += b.runs[r].padded() * 4 * kFilters;
  }
#pragma GCC unroll 16
  for (int i = 0; i < kDotRows; ++i)
    __builtin_memcpy(static_cast<uint8_t*>(b.sums) + i * 4 * kFilters, sum[i], sizeof sum[i]);
}

void nothing() {}

// ---- AMX: 2 x 2 tiles of sums (registers 0 to 3), two tiles of positions (4, 5), two of filters
// (6, 7): four products for four loads.

#define LIMBER_TILE_TARGET __attribute__((target("amx-tile,amx-bf16,amx-int8")))

// All eight registers are 16 rows of 64 bytes. Static: the compiler knows of the instruction only
// that it reads the first bytes, and would not write the rest of a local one.
struct TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
constexpr TileConfig kTileConfig;

LIMBER_TILE_TARGET void begin_tiles() { _tile_loadconfig(&kTileConfig); }
LIMBER_TILE_TARGET void end_tiles() { _tile_release(); }

#define LIMBER_TILE_PRODUCT(to, x, w)          \
  if constexpr (kPrecision == Precision::bf16) \
    _tile_dpbf16ps(to, x, w);                  \
  else                                         \
    _tile_dpbusd(to, x, w)

template <Precision kPrecision>
LIMBER_TILE_TARGET void tile_block(const NarrowBlock& b) {
  constexpr int64_t kLine = 4 * kFilters;  // bytes
  const uint8_t* panel = b.panel;
  uint8_t* sums = static_cast<uint8_t*>(b.sums);
  _tile_zero(0);
  _tile_zero(1);
  if (b.rows <= 16) {
    for (int64_t r = 0; r < b.run_count; ++r) {
      const uint8_t* x = b.x + b.runs[r].offset;
      for (int64_t k = 0; k < b.runs[r].quads; k += kQuads, x += 64, panel += kQuads * kLine) {
        _tile_loadd(4, x, b.step);
        _tile_loadd(6, panel, kLine);
        _tile_loadd(7, panel + 64, kLine);
        LIMBER_TILE_PRODUCT(0, 4, 6);
        LIMBER_TILE_PRODUCT(1, 4, 7);
      }
    }
  } else {
    _tile_zero(2);
    _tile_zero(3);
    for (int64_t r = 0; r < b.run_count; ++r) {
      const uint8_t *x = b.x + b.runs[r].offset, *lower = x + 16 * b.step;
      for (int64_t k = 0; k < b.runs[r].quads;
           k += kQuads, x += 64, lower += 64, panel += kQuads * kLine) {
        _tile_loadd(4, x, b.step);
        _tile_loadd(6, panel, kLine);
        _tile_loadd(7, panel + 64, kLine);
        LIMBER_TILE_PRODUCT(0, 4, 6);
        LIMBER_TILE_PRODUCT(1, 4, 7);
        _tile_loadd(5, lower, b.step);
        LIMBER_TILE_PRODUCT(2, 5, 6);
        LIMBER_TILE_PRODUCT(3, 5, 7);
      }
    }
    _tile_stored(2, sums + 16 * kLine, kLine);
    _tile_stored(3, sums + 16 * kLine + 64, kLine);
  }
  _tile_stored(0, sums, kLine);
  _tile_stored(1, sums + 64, kLine);
}

}  // namespace

Unit unit_of(const Narrow& n) {
  const bool bf16 = n.precision == Precision::bf16;
  if (n.unit == MatrixUnit::tiles)
    return {32, begin_tiles, end_tiles,
            bf16 ? tile_block<Precision::bf16> : tile_block<Precision::int8>};
  return {kDotRows, nothing, nothing, bf16 ? dot_block<__m512> : dot_block<__m512i>};
}

#endif

}  // namespace limber::kernels::cpu::LIMBER_ISA
