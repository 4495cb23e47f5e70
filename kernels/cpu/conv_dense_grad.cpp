// The fast weight gradient. A register tile holds kTileRows numbers of the window (taps and
// channels, contiguous in a chunk's rows) by kTileColumns filters and runs over the positions of a
// chunk; between chunks it rests in scratch memory. The gradient is written, transposed, once.
//
// One Zen 4 core, AVX-512, batch 8, medians in GFLOP/s: 3x3 with 32, 48 and 64 channels at 64 x 48
// 101, 105 and 103; 128 at 16 x 12 100; 256 at 8 x 6 93; 1x1 from 256 to 64 channels 82.
#include "kernels/cpu/conv_dense.h"
#include "kernels/cpu/tile.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

constexpr int64_t kTileSize = kTileRows * kTileColumns;

// The part of the gradient that one thread computes: tiles of every group's window, filters of
// every group.
struct Part {
  int64_t tile_begin, tile_end, filter_begin, filter_end;
  int64_t panels() const { return (filter_end - filter_begin + kTileColumns - 1) / kTileColumns; }
};

// body(index, offset, k, rows) for the tiles [begin, end) of a window cut into pieces: where they
// start from the position's first pixel, which k that is, and how many rows are wanted.
template <class Body>
int64_t for_tiles(const Piece* pieces, int64_t count, int64_t begin, int64_t end,
                  const Body& body) {
  int64_t tile = 0, k = 0;
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t at = 0; at < pieces[i].length; at += kTileRows, ++tile)
      if (tile >= begin && tile < end)
        body(tile - begin, pieces[i].offset + at, k + at, rest(pieces[i].length, at, kTileRows));
    k += pieces[i].length;
  }
  return tile;
}

// One tile over the rows of positions of a chunk; `panel`: (positions, V vectors) of dy.
template <int V>
void add_chunk(const Gather& g, const Chunk& chunk, int64_t rows, int64_t offset,
               const float* panel, float* sums, bool first) {
  constexpr int64_t L = kLanes<float>;
  Tile<V> tile{};
  if (!first) {
    for (int i = 0; i < kTileRows; ++i)
      for (int v = 0; v < V; ++v) tile.sum[i][v] = load(sums + (i * V + v) * L);
  }
  for (int64_t row = 0; row < rows; ++row)
    multiply_columns<V>(tile, chunk.start[row] + offset, g.step_w * g.C,
                        panel + row * g.columns * V * L, V * L, g.columns);
  for (int i = 0; i < kTileRows; ++i)
    for (int v = 0; v < V; ++v) store(sums + (i * V + v) * L, tile.sum[i][v]);
}

// dweight[filter][k] for a tile's rows of k and columns of filters.
void write_tile(float* dweight, int64_t window, const float* sums, int64_t rows, int64_t filters,
                int64_t width) {
  for (int64_t f = 0; f < filters; ++f)
    for (int64_t i = 0; i < rows; ++i) dweight[f * window + i] = sums[i * width + f];
}

void compute_part(const Conv& s, const Gather& g, float* dweight, const float* dy, const Part& part,
                  int64_t step) {
  const int64_t channels = s.C / s.groups, filters = s.K / s.groups, window = s.R * s.S * channels;
  const int64_t panels = part.panels(), tiles = part.tile_end - part.tile_begin;
  const int64_t sums_size = s.groups * tiles * panels * kTileSize;
  const int64_t panels_size = panels * step * g.columns * kTileColumns;
  float* sums = static_cast<float*>(thread_scratch(
      size_t(sums_size + panels_size + chunk_size(g, step) + kTileRows) * sizeof(float)));
  float *packed = sums + sums_size, *border = packed + panels_size;
  Piece pieces[kMaxPieces];
  // body(filters of group and panel, their number, packed panel)
  const auto for_panels = [&](int64_t group, int64_t positions, const auto& body) {
    for (int64_t p = 0; p < panels; ++p) {
      const int64_t f = part.filter_begin + p * kTileColumns;
      body(p, group * filters + f, rest(part.filter_end, f, kTileColumns),
           packed + p * positions * kTileColumns);
    }
  };
  const int64_t rows = s.N * s.P;
  for (int64_t row = 0; row < rows; row += step) {
    const int64_t count = rest(rows, row, step), positions = count * g.columns;
    Chunk chunk;
    load_chunk(g, row, count, border, chunk);
    for (int64_t group = 0; group < s.groups; ++group) {
      for_panels(group, positions, [&](int64_t, int64_t f, int64_t n, float* panel) {
        pack_rows(panel, dy + row * g.columns * s.K + f, s.K, positions, n, panel_width(0, n));
      });
      const int64_t found =
          find_pieces(g, chunk.pitch, group * channels, channels, 0, window, pieces);
      float* group_sums = sums + group * tiles * panels * kTileSize;
      for_tiles(pieces, found, part.tile_begin, part.tile_end,
                [&](int64_t t, int64_t offset, int64_t, int64_t) {
                  for_panels(group, positions, [&](int64_t p, int64_t, int64_t n, float* panel) {
                    float* to = group_sums + (t * panels + p) * kTileSize;
                    if (n > kLanes<float>) {
                      add_chunk<kTileVecs>(g, chunk, count, offset, panel, to, row == 0);
                    } else {
                      add_chunk<1>(g, chunk, count, offset, panel, to, row == 0);
                    }
                  });
                });
    }
  }
  for (int64_t group = 0; group < s.groups; ++group) {
    const int64_t found =
        find_pieces(g, chunk_pitch(g), group * channels, channels, 0, window, pieces);
    const float* group_sums = sums + group * tiles * panels * kTileSize;
    for_tiles(pieces, found, part.tile_begin, part.tile_end,
              [&](int64_t t, int64_t, int64_t k, int64_t wanted) {
                for_panels(group, 0, [&](int64_t p, int64_t f, int64_t n, float*) {
                  write_tile(dweight + f * window + k, window,
                             group_sums + (t * panels + p) * kTileSize, wanted, n,
                             panel_width(0, n));
                });
              });
  }
}

}  // namespace

void weight_by_windows(const Exec& ex, const Conv& s, float* dweight, const float* x,
                       const float* dy) {
  const int64_t filters = s.K / s.groups, channels = s.C / s.groups;
  const int64_t window = s.R * s.S * channels;
  if (s.N * s.P * s.Q == 0) {
    for (int64_t i = 0; i < s.K * window; ++i) dweight[i] = 0;
    return;
  }
  Gather g = windows_of(s, x);
  g.copies = true;  // a piece's last tile reads beyond it
  Piece pieces[kMaxPieces];
  const int64_t found = find_pieces(g, chunk_pitch(g), 0, channels, 0, window, pieces);
  const int64_t tiles = for_tiles(pieces, found, 0, 0, [](int64_t, int64_t, int64_t, int64_t) {});
  // Few enough rows that a chunk of dy stays in the second-level cache too.
  constexpr int64_t kNumbers = 64 * 1024;
  const int64_t step = rest(chunk_rows(g, s.N * s.P), 0, kNumbers / (s.Q * s.K) + 1);
  constexpr int64_t kGrain = 1 << 17;  // multiplications worth a thread
  const int64_t work = s.N * s.P * s.Q * s.K * window;
  const int64_t threads = rest(thread_count(ex), 0, work / kGrain + 1);
  const int64_t column_parts = s.groups == 1 ? parts_of_columns(filters, threads) : 1;
  const int64_t row_parts = threads / column_parts;
  parallel_for(ex, threads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t r = i / column_parts, c = i % column_parts;
      compute_part(s, g, dweight, dy,
                   {tiles * r / row_parts, tiles * (r + 1) / row_parts, filters * c / column_parts,
                    filters * (c + 1) / column_parts},
                   step);
    }
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
