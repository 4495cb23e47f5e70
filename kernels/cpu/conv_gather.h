// How the fast convolutions read an image: for every position of a grid, a window of taps.
//
// Rows of positions are taken a chunk at a time. Where a window leaves the image, the chunk's input
// rows are first copied with a border of zeros (each pixel once, not once per tap as in im2col);
// where none does, they are read in place. From there on a tap is a constant offset from the
// position's first pixel, and neighbouring taps of a row are one contiguous run of numbers.
#pragma once

#include "kernels/conv.h"
#include "kernels/cpu/simd.h"

namespace limber::kernels::cpu::LIMBER_ISA {

constexpr int64_t kMaxTaps = 22;        // per direction; larger kernels take the plain form
constexpr int64_t kMaxChunkRows = 384;  // rows of positions
constexpr int64_t kMaxPieces = 512;     // also how many k are multiplied at a time

// Whether gathered windows can do it; the plain form does the rest.
LIMBER_INLINE bool has_fast_form(const Conv& s) {
  return !kBaseline && s.R <= kMaxTaps && s.S <= kMaxTaps;
}

// The taps of one direction by ascending offset (in input pixels from the position), with their
// index in the weight.
struct Taps {
  int64_t count = 0;
  int64_t offset[kMaxTaps], index[kMaxTaps];
  LIMBER_INLINE int64_t least() const { return count > 0 ? offset[0] : 0; }
  LIMBER_INLINE int64_t span() const { return count > 0 ? offset[count - 1] - offset[0] + 1 : 1; }
  LIMBER_INLINE void add(int64_t at, int64_t tap) {
    offset[count] = at;
    index[count++] = tap;
  }
};

struct Gather {
  const float* in;  // (N, H, W, C)
  int64_t N, H, W, C;
  int64_t rows, columns;   // positions per image
  int64_t step_h, step_w;  // input pixels from one to the next
  Taps vertical, horizontal;
  bool copies = false;  // even where every window lies inside the image
};

// What a convolution reads: its windows over x.
Gather windows_of(const Conv& s, const float* x);

// A run of numbers that every position has at the same distance from its first pixel.
struct Piece {
  int64_t offset, length;
};

// A chunk of rows of positions: where the first position's first tap lies for each of them.
struct Chunk {
  const float* start[kMaxChunkRows];
  int64_t pitch;  // numbers from one input row to the next
};

// Whether every window lies inside the image.
bool reads_in_place(const Gather& g);
// Rows of positions that a chunk should have where `rows` are cut into chunks: enough positions to
// amortise a block of weights, few enough for the second-level cache if they are copied, and whole
// tiles where a few rows fill them.
int64_t chunk_rows(const Gather& g, int64_t rows);
// Numbers from one input row of a chunk to the next.
int64_t chunk_pitch(const Gather& g);
// Numbers of scratch memory that load_chunk() needs for `count` rows.
int64_t chunk_size(const Gather& g, int64_t count);
// Rows [first, first + count) of the N * g.rows rows of positions.
void load_chunk(const Gather& g, int64_t first, int64_t count, float* scratch, Chunk& chunk);
// The pieces of the reduction's indices [k0, k1): tap by tap, `channels` numbers each from channel
// `channel` on. Returns how many.
int64_t find_pieces(const Gather& g, int64_t pitch, int64_t channel, int64_t channels, int64_t k0,
                    int64_t k1, Piece* pieces);

}  // namespace limber::kernels::cpu::LIMBER_ISA
