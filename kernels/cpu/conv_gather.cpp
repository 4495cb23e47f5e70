#include "kernels/cpu/conv_gather.h"

#include "kernels/cpu/tile.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

int64_t clamp(int64_t value, int64_t low, int64_t high) {
  return value < low ? low : value > high ? high : value;
}

void copy(float* to, const float* from, int64_t n) {
  for_lanes<float>(n, [&](int64_t i, int64_t m) { store(to + i, load(from + i, m), m); });
}

void clear(float* to, int64_t n) {
  for_lanes<float>(n, [&](int64_t i, int64_t m) { store(to + i, Vec<float>{}, m); });
}

// Input pixels under one row of positions.
int64_t padded_width(const Gather& g) { return (g.columns - 1) * g.step_w + g.horizontal.span(); }

}  // namespace

Gather windows_of(const Conv& s, const float* x) {
  Gather g{.in = x,
           .N = s.N,
           .H = s.H,
           .W = s.W,
           .C = s.C,
           .rows = s.P,
           .columns = s.Q,
           .step_h = s.stride_h,
           .step_w = s.stride_w,
           .vertical = {},
           .horizontal = {}};
  for (int64_t r = 0; r < s.R; ++r) g.vertical.add(r * s.dilation_h - s.pad_h, r);
  for (int64_t t = 0; t < s.S; ++t) g.horizontal.add(t * s.dilation_w - s.pad_w, t);
  return g;
}

int64_t chunk_pitch(const Gather& g) { return (reads_in_place(g) ? g.W : padded_width(g)) * g.C; }

bool reads_in_place(const Gather& g) {
  if (g.copies) return false;
  const auto inside = [](const Taps& taps, int64_t positions, int64_t step, int64_t extent) {
    return taps.least() >= 0 && (positions - 1) * step + taps.least() + taps.span() <= extent;
  };
  return inside(g.vertical, g.rows, g.step_h, g.H) &&
         inside(g.horizontal, g.columns, g.step_w, g.W);
}

int64_t chunk_rows(const Gather& g, int64_t rows) {
  constexpr int64_t kPositions = 768, kNumbers = 64 * 1024;
  int64_t most = kPositions / g.columns;
  if (!reads_in_place(g)) most = rest(kNumbers / (padded_width(g) * g.C * g.step_h), 0, most);
  most = clamp(most, 1, kMaxChunkRows);
  int64_t unit = 1;  // rows that fill whole tiles
  while (unit * g.columns % kTileRows != 0) ++unit;
  if (unit > most) unit = 1;
  return even_part(rows, most / unit * unit, unit);
}

int64_t chunk_size(const Gather& g, int64_t count) {
  if (reads_in_place(g)) return 0;
  const int64_t images = count / g.rows + 2;  // touched at most
  return (count * g.step_h + images * g.vertical.span()) * padded_width(g) * g.C;
}

void load_chunk(const Gather& g, int64_t first, int64_t count, float* scratch, Chunk& chunk) {
  chunk.pitch = chunk_pitch(g);
  const int64_t top = g.vertical.least(), left = g.horizontal.least();
  if (reads_in_place(g)) {
    for (int64_t i = 0; i < count; ++i) {
      const int64_t image = (first + i) / g.rows, row = (first + i) % g.rows;
      chunk.start[i] = g.in + ((image * g.H + row * g.step_h + top) * g.W + left) * g.C;
    }
    return;
  }
  const int64_t width = padded_width(g);
  const int64_t w0 = clamp(left, 0, g.W), w1 = clamp(left + width, w0, g.W);
  const int64_t before = clamp(w0 - left, 0, width), after = width - before - (w1 - w0);
  for (int64_t i = 0; i < count;) {
    const int64_t image = (first + i) / g.rows, row = (first + i) % g.rows;
    const int64_t n = count - i < g.rows - row ? count - i : g.rows - row;
    for (int64_t j = 0; j < n; ++j) chunk.start[i + j] = scratch + j * g.step_h * chunk.pitch;
    const int64_t h0 = row * g.step_h + top, height = (n - 1) * g.step_h + g.vertical.span();
    for (int64_t h = h0; h < h0 + height; ++h, scratch += chunk.pitch) {
      if (h < 0 || h >= g.H) {
        clear(scratch, chunk.pitch);
        continue;
      }
      clear(scratch, before * g.C);
      copy(scratch + before * g.C, g.in + ((image * g.H + h) * g.W + w0) * g.C, (w1 - w0) * g.C);
      clear(scratch + (width - after) * g.C, after * g.C);
    }
    i += n;
  }
}

int64_t find_pieces(const Gather& g, int64_t pitch, int64_t channel, int64_t channels, int64_t k0,
                    int64_t k1, Piece* pieces) {
  int64_t found = 0;
  for (int64_t k = k0; k < k1;) {
    const int64_t tap = k / channels, c = k % channels;
    const int64_t v = tap / g.horizontal.count, h = tap % g.horizontal.count;
    const int64_t length = channels - c < k1 - k ? channels - c : k1 - k;
    const int64_t offset = (g.vertical.offset[v] - g.vertical.least()) * pitch +
                           (g.horizontal.offset[h] - g.horizontal.least()) * g.C + channel + c;
    if (found > 0 && pieces[found - 1].offset + pieces[found - 1].length == offset) {
      pieces[found - 1].length += length;
    } else {
      pieces[found++] = {offset, length};
    }
    k += length;
  }
  return found;
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
