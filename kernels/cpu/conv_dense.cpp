// Implicit GEMM: positions are the rows of A and never gathered into a matrix, the register tile
// reads them through one pointer each.
//
// One Zen 4 core (about 118 GFLOP/s), AVX-512, batch 1, medians in GFLOP/s: 3x3 with 32 channels at
// 64 x 48 111, 64 channels 106, 128 at 16 x 12 102, 3x3 stride 2 106, the 3-channel stem 92; 48
// channels 91 (a tile and a half). The plain form on the baseline: 11.
#include "kernels/cpu/conv_dense.h"

#include "kernels/cpu/tile.h"
#include "kernels/cpu/winograd.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

// Columns of weights packed at a time; with kMaxPieces of depth half of a second-level cache.
constexpr int64_t kWidth = 256;

struct Columns {
  int64_t begin, end;  // of one group's filters
  int64_t padded() const {
    return (end - begin + kLanes<float> - 1) / kLanes<float> * kLanes<float>;
  }
};

int64_t reduction(const Product& p) {
  return p.gather.vertical.count * p.gather.horizontal.count * p.channels;
}

// k that are multiplied at a time: equal parts.
int64_t depth_of(const Product& p) { return even_part(reduction(p), kMaxPieces, 1); }

// Where the panel of filter n lies in the block of k that begins at k and has `block`.
int64_t panel_at(const Columns& columns, int64_t k, int64_t block, int64_t n) {
  return k * columns.padded() + (n - columns.begin) * block;
}

// Weights of one group as panels: block by block of depth_of() k, panel by panel.
void pack_weights(const Product& p, int64_t group, Columns columns, float* packed) {
  const int64_t K = reduction(p), depth = depth_of(p);
  for (int64_t k = 0; k < K;) {
    const int64_t tap = k / p.channels, c = k % p.channels, block = k / depth * depth;
    const int64_t block_size = rest(K, block, depth);
    const int64_t length = rest(p.channels, c, block + block_size - k);
    for (int64_t n = columns.begin; n < columns.end; n += kTileColumns) {
      const int64_t width = panel_width(n, columns.end);
      float* to = packed + panel_at(columns, block, block_size, n) + (k - block) * width;
      pack_tap(p, to, group, tap, c, length, n, rest(columns.end, n, kTileColumns), width);
    }
    k += length;
  }
}

// The products of a tile's pieces. A function of its own: the row pointers need the general
// registers for themselves.
template <int V>
__attribute__((noinline)) void multiply_pieces(Tile<V>& sums, const float* const* from,
                                               const Piece* pieces, int64_t count,
                                               const float* panel, int64_t ahead) {
  Tile<V> tile{};
  for (int64_t i = 0; i < count; ++i) {
    multiply_rows<V>(tile, from, pieces[i].offset, panel, pieces[i].length, ahead);
    panel += pieces[i].length * V * kLanes<float>;
  }
  sums = tile;
}

template <int V>
void multiply_tile(const float* const* from, float* const* to, const Piece* pieces, int64_t count,
                   const float* panel, int64_t ahead, int rows, int64_t columns,
                   const Finish& finish) {
  Tile<V> tile;
  multiply_pieces<V>(tile, from, pieces, count, panel, ahead);
  store_tile<V>(tile, to, rows, columns, finish);
}

// Packed weights of one group: of which columns, and which of them this thread multiplies.
struct Panels {
  const float* data;
  Columns columns, used;
};

// Rows [first, first + count) of positions, loaded as `chunk`, times one group's weights.
void multiply_chunk(const Product& p, const Chunk& chunk, int64_t first, int64_t count,
                    int64_t group, Columns columns, Panels panels) {
  const Gather& g = p.gather;
  const int64_t K = reduction(p), depth = depth_of(p), positions = count * g.columns;
  Piece pieces[kMaxPieces];
  for (int64_t k = 0; k == 0 || k < K; k += depth) {
    const int64_t block = rest(K, k, depth);
    const int64_t found =
        find_pieces(g, chunk.pitch, group * p.channels, p.channels, k, k + block, pieces);
    const auto line_of = [&](int64_t row) {
      const int64_t image = (first + row) / g.rows, y = (first + row) % g.rows;
      return p.out + ((image * p.H + y * p.step_h + p.at_h) * p.W + p.at_w) * p.K +
             group * p.filters;
    };
    int64_t row = 0, column = 0;
    float* line = line_of(0);
    for (int64_t m = 0; m < positions; m += kTileRows) {
      const int rows = int(rest(positions, m, kTileRows));
      const float* from[kTileRows];
      float* to[kTileRows];
      for (int i = 0; i < kTileRows; ++i) {
        from[i] = i < rows ? chunk.start[row] + column * g.step_w * g.C : from[0];
        if (i < rows) {
          to[i] = line + column * p.step_w * p.K;
          if (++column == g.columns) column = 0, line = line_of(++row);
        } else {
          to[i] = to[0];
        }
      }
      for (int64_t n = columns.begin; n < columns.end; n += kTileColumns) {
        const int64_t width = rest(columns.end, n, kTileColumns);
        const int64_t here = panel_at(panels.columns, k, block, n);
        const float* panel = panels.data + here;
        // The first tile of rows goes through a block's panels in the order of memory. While the
        // second reads them from the cache, what follows comes: the next block of k, after the
        // last one the next columns.
        int64_t next = here;
        if (m == 0) {
          next = here + panel_width(n, panels.columns.end) * block;
        } else if (m == kTileRows && k + block < K) {
          next = panel_at(panels.columns, k + block, rest(K, k + block, depth), n);
        } else if (m == kTileRows && columns.end < panels.used.end) {
          next = panel_at(panels.columns, 0, rest(K, 0, depth), n + columns.end - columns.begin);
        }
        float* at[kTileRows];
        for (int i = 0; i < kTileRows; ++i) at[i] = to[i] + n;
        // Bias and residual come with the first k: the residual may lie where the result will.
        Finish finish{1, k == 0 ? 0.0f : 1.0f,
                      k == 0 && p.bias != nullptr ? p.bias + group * p.filters + n : nullptr,
                      k == 0 ? p.residual : nullptr, p.out};
        if (k + block >= K) finish.act = p.act;
        if (width > kLanes<float>) {
          multiply_tile<kTileVecs>(from, at, pieces, found, panel, next - here, rows, width,
                                   finish);
        } else {
          multiply_tile<1>(from, at, pieces, found, panel, next - here, rows, width, finish);
        }
      }
    }
  }
}

// What one thread does: some rows of positions, some columns of every group.
void multiply_part(const Product& p, int64_t row_begin, int64_t row_end, Columns part) {
  const int64_t K = reduction(p), step = chunk_rows(p.gather, row_end - row_begin);
  const int64_t width = even_part(part.end - part.begin, kWidth, kTileColumns);
  const bool ahead = p.packed != nullptr;
  const Columns all{0, p.filters};
  const int64_t group_size = K * (ahead ? all.padded() : width);
  const int64_t packed_here = ahead ? 0 : p.groups * group_size;
  float* scratch = static_cast<float*>(
      thread_scratch(size_t(packed_here + chunk_size(p.gather, step)) * sizeof(float)));
  float* border = scratch + packed_here;
  for (int64_t n = part.begin; n < part.end; n += width) {
    const Columns columns{n, n + rest(part.end, n, width)};
    for (int64_t g = 0; !ahead && g < p.groups; ++g)
      pack_weights(p, g, columns, scratch + g * group_size);
    for (int64_t row = row_begin; row < row_end; row += step) {
      const int64_t count = rest(row_end, row, step);
      Chunk chunk;
      load_chunk(p.gather, row, count, border, chunk);
      for (int64_t g = 0; g < p.groups; ++g)
        multiply_chunk(p, chunk, row, count, g, columns,
                       ahead ? Panels{p.packed + g * group_size, all, part}
                             : Panels{scratch + g * group_size, columns, columns});
    }
  }
}

}  // namespace

void pack_tap(const Product& p, float* to, int64_t group, int64_t tap, int64_t c, int64_t length,
              int64_t n, int64_t count, int64_t width) {
  const int64_t r = p.gather.vertical.index[tap / p.gather.horizontal.count];
  const int64_t s = p.gather.horizontal.index[tap % p.gather.horizontal.count];
  const float* at = p.weight + (r * p.S + s) * p.tap_size;
  if (p.filter_first) {
    pack_columns(to, at + (group * p.filters + n) * p.row_size + c, p.row_size, length, count,
                 width);
  } else {
    pack_rows(to, at + (group * p.channels + c) * p.row_size + n, p.row_size, length, count, width);
  }
}

PackedForm packed_form(const Product& p) {
  const PackedForm winograd = winograd_form(p);
  if (winograd.form != 0) return winograd;
  return {p.groups * reduction(p) * Columns{0, p.filters}.padded(), 0};
}

void pack_product(const Product& p, float* packed) {
  if (winograd_form(p).form != 0) return pack_winograd(p, packed);
  const Columns all{0, p.filters};
  for (int64_t g = 0; g < p.groups; ++g)
    pack_weights(p, g, all, packed + g * reduction(p) * all.padded());
}

void multiply_windows(const Exec& ex, const Product& p) {
  const int64_t rows = p.gather.N * p.gather.rows;
  if (rows == 0 || p.gather.columns == 0) return;
  if (p.packed != nullptr ? winograd_form(p).form != 0 : winograd_pays(p))
    return winograd_windows(ex, p);
  constexpr int64_t kGrain = 1 << 17;  // multiplications worth a thread
  const int64_t work = rows * p.gather.columns * reduction(p) * p.filters * p.groups;
  const int64_t threads = rest(thread_count(ex), 0, work / kGrain + 1);
  const int64_t column_parts = p.groups == 1 ? parts_of_columns(p.filters, threads) : 1;
  const int64_t row_parts = threads / column_parts;
  parallel_for(ex, threads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t r = i / column_parts, c = i % column_parts;
      multiply_part(p, rows * r / row_parts, rows * (r + 1) / row_parts,
                    {p.filters / column_parts * c,
                     c + 1 == column_parts ? p.filters : p.filters / column_parts * (c + 1)});
    }
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
