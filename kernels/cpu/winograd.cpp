// A tile of the result, m x m, depends on n x n pixels with n = m + r - 1 for r x r taps. Both are
// polynomial products, so n^2 products of transformed numbers replace m^2 r^2:
//   y = A^T [ (G g G^T) * (B^T d B) ] A,
// where * is element by element for one channel and a product of matrices over all channels: for
// each of the n^2 places, (tiles, channels) times (channels, filters).
//
// A thread takes a block of tiles through all three steps, small enough that the transformed input
// and the sums stay in the second-level cache.
#include "kernels/cpu/winograd.h"

#include "kernels/cpu/tile.h"
#include "kernels/shared_scratch.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

// The one-dimensional transforms. F(m, r): m results of r taps.
//
// Points 0, a, -a, b, -b and infinity, with a b = 1. The usual 1 and 2 make numbers of very
// different size, whose rounding errors meet: of 64 channels of random numbers the root mean square
// of the error is 1.6e-6 with them and 7.3e-7 with 2/3 and 3/2, where direct sums have 3.6e-7; the
// largest error is 5.9e-6 and 1.1e-6. Found by trying a and b on a grid.
struct F43 {
  static constexpr int m = 4, r = 3, n = 6, form = 1;
  static constexpr double a = 2.0 / 3, b = 3.0 / 2, a2 = a * a, b2 = b * b;
  static constexpr double Na = 2 * a2 * (a2 - b2), Nb = 2 * b2 * (b2 - a2);
  static constexpr double G[n][r] = {{1, 0, 0},
                                     {1 / Na, a / Na, a2 / Na},
                                     {1 / Na, -a / Na, a2 / Na},
                                     {1 / Nb, b / Nb, b2 / Nb},
                                     {1 / Nb, -b / Nb, b2 / Nb},
                                     {0, 0, 1}};
  using V = Vec<float>;
  LIMBER_INLINE static void input(V (&v)[n], const V (&d)[n]) {
    constexpr float fa = a, fb = b, fa2 = a2, fb2 = b2, sum = a2 + b2;
    const V p = d[4] - fb2 * d[2], q = fa * d[3] - fb * d[1];
    const V s = d[4] - fa2 * d[2], t = fb * d[3] - fa * d[1];
    v[0] = d[0] - sum * d[2] + d[4];
    v[1] = p + q, v[2] = p - q, v[3] = s + t, v[4] = s - t;
    v[5] = d[1] - sum * d[3] + d[5];
  }
  LIMBER_INLINE static void output(V (&y)[m], const V (&t)[n]) {
    constexpr float fa = a, fb = b, fa2 = a2, fb2 = b2, fa3 = a * a2, fb3 = b * b2;
    const V p = t[1] + t[2], q = t[1] - t[2], s = t[3] + t[4], u = t[3] - t[4];
    y[0] = t[0] + p + s, y[1] = fa * q + fb * u;
    y[2] = fa2 * p + fb2 * s, y[3] = fa3 * q + fb3 * u + t[5];
  }
};

// Points 0, 1, -1 and infinity; F(2, 3) and F(3, 2) share the transform of the input.
struct FourPoints {
  static constexpr int n = 4;
  using V = Vec<float>;
  LIMBER_INLINE static void input(V (&v)[n], const V (&d)[n]) {
    v[0] = d[0] - d[2], v[1] = d[1] + d[2], v[2] = d[2] - d[1], v[3] = d[3] - d[1];
  }
};

struct F23 : FourPoints {
  static constexpr int m = 2, r = 3, form = 2;
  static constexpr double G[n][r] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
  LIMBER_INLINE static void output(V (&y)[m], const V (&t)[n]) {
    y[0] = t[0] + t[1] + t[2], y[1] = t[1] - t[2] + t[3];
  }
};

struct F32 : FourPoints {
  static constexpr int m = 3, r = 2, form = 3;
  static constexpr double G[n][r] = {{1, 0}, {0.5, 0.5}, {0.5, -0.5}, {0, 1}};
  LIMBER_INLINE static void output(V (&y)[m], const V (&t)[n]) {
    y[0] = t[0] + t[1] + t[2], y[1] = t[1] - t[2], y[2] = t[1] + t[2] + t[3];
  }
};

// Numbers of a transformed weight that may be made for one call: 64 MB.
constexpr int64_t kMostWeights = 16 << 20;

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t whole(int64_t count, int64_t unit) { return ceil_div(count, unit) * unit; }

// Tiles of a product's positions, numbered row by row over all images.
struct Tiling {
  int64_t down, across, count;
};

template <class F>
Tiling tiling_of(const Gather& g) {
  const int64_t down = ceil_div(g.rows, F::m), across = ceil_div(g.columns, F::m);
  return {down, across, g.N * down * across};
}

// Estimated time in multiplications at full speed: those of the tiles, the transforms (about 150
// vector instructions a tile for n = 6), the reading of weights from memory and, where they are not
// packed ahead, their transform and writing.
constexpr double kReadWeight = 12, kMakeWeight = 30;

template <class F>
double cost_of(const Product& p, bool ahead) {
  const Tiling t = tiling_of<F>(p.gather);
  const double C = double(p.channels), K = double(p.filters), places = F::n * F::n;
  const double weight = kReadWeight + (ahead ? 0 : kMakeWeight);
  return places * C * K * (double(whole(t.count, kTileRows)) + weight) +
         places * 4 * double(t.count) * (C + K);
}

double cost_directly(const Product& p) {
  const double taps = double(p.gather.vertical.count * p.gather.horizontal.count);
  const int64_t positions = p.gather.N * p.gather.rows * p.gather.columns;
  return taps * double(p.channels * p.filters) *
         (double(whole(positions, kTileRows)) + kReadWeight);
}

bool has_taps(const Product& p, int64_t r) {
  const Taps &v = p.gather.vertical, &h = p.gather.horizontal;
  return v.count == r && v.span() == r && h.count == r && h.span() == r;
}

// Calls body with the transforms that the product should use, if any; ahead: the weight is packed.
// Without, input gradients and transposed convolutions (filter_first is false) go this way and
// convolutions do not: in training the norms of some networks magnify any rounding of the forward
// pass a hundred thousand times.
template <class Body>
void by_transform(const Product& p, bool ahead, const Body& body) {
  if (kBaseline || p.groups != 1 || p.gather.step_h != 1 || p.gather.step_w != 1) return;
  if (p.channels < kLanes<float> || p.filters < kLanes<float>) return;
  if (!ahead && p.filter_first) return;
  const double direct = cost_directly(p);
  if (has_taps(p, 3)) {
    const double large = cost_of<F43>(p, ahead), small = cost_of<F23>(p, ahead);
    if (large < direct && large <= small) {
      body(F43{});
    } else if (small < direct) {
      body(F23{});
    }
  } else if (has_taps(p, 2) && cost_of<F32>(p, ahead) < direct) {
    body(F32{});
  }
}

// Where the panel of place `xi` and filter n begins among the packed weights.
int64_t padded_filters(const Product& p) { return whole(p.filters, kLanes<float>); }
int64_t panel_at(const Product& p, int64_t xi, int64_t n) {
  return (xi * padded_filters(p) + n) * p.channels;
}

// What one thread works on: tiles [begin, end) and filters [first, last), a block of tiles at a
// time.
struct Part {
  int64_t begin, end, first, last;
  int64_t block = 0;
  float *zeros = nullptr, *input = nullptr, *sums = nullptr;
  // Numbers from one place to the next: an odd count of lines, so that the places of a tile do not
  // all fall into the same set of the cache.
  int64_t input_step = 0, sums_step = 0;
};

struct TilePlace {
  int64_t image, row, column;  // of the first position
};

template <class F>
TilePlace place_of(const Product& p, int64_t tile) {
  const Tiling t = tiling_of<F>(p.gather);
  const int64_t image = tile / (t.down * t.across), at = tile % (t.down * t.across);
  return {image, at / t.across * F::m, at % t.across * F::m};
}

// Both directions of a transform of a square; the columns first.
template <int n, int m, class Apply>
LIMBER_INLINE void both_ways(Vec<float> (&to)[m][m], const Vec<float> (&from)[n][n],
                             const Apply& apply) {
  Vec<float> half[n][m];
#pragma GCC unroll 6
  for (int i = 0; i < n; ++i) apply(half[i], from[i]);
#pragma GCC unroll 6
  for (int j = 0; j < m; ++j) {
    Vec<float> column[n], result[m];
#pragma GCC unroll 6
    for (int i = 0; i < n; ++i) column[i] = half[i][j];
    apply(result, column);
#pragma GCC unroll 6
    for (int i = 0; i < m; ++i) to[i][j] = result[i];
  }
}

// G g G^T of the filters in panels [first, last), one channel and a vector of filters at a time. In
// f64: it costs little, and the error of these numbers would come on top of all others. Not inlined
// and with loops left as loops: copies for every form and caller are tens of kilobytes.
template <class F>
__attribute__((noinline)) void transform_weight(const Product& p, float* packed, int64_t first,
                                                int64_t last) {
  constexpr int n = F::n, r = F::r;
  float* taps = static_cast<float*>(
      thread_scratch(size_t(r * r * p.channels * kTileColumns) * sizeof(float)));
  for (int64_t f = first * kTileColumns; f < rest(p.filters, 0, last * kTileColumns);
       f += kTileColumns) {
    const int64_t count = rest(p.filters, f, kTileColumns), width = panel_width(f, p.filters);
    for (int64_t tap = 0; tap < r * r; ++tap)
      pack_tap(p, taps + tap * p.channels * width, 0, tap, 0, p.channels, f, count, width);
    using V = Vec<double>;
    typedef float Narrow __attribute__((vector_size(kVecBytes / 2)));
    for (int64_t at = 0; at < p.channels * width; at += kLanes<double>) {
      V g[r][r], half[n][r];
#pragma GCC unroll 1
      for (int tap = 0; tap < r * r; ++tap) {
        Narrow numbers;
        __builtin_memcpy(&numbers, taps + tap * p.channels * width + at, sizeof numbers);
        g[tap / r][tap % r] = __builtin_convertvector(numbers, V);
      }
#pragma GCC unroll 1
      for (int i = 0; i < n; ++i)
#pragma GCC unroll 1
        for (int b = 0; b < r; ++b) {
          half[i][b] = V{};
#pragma GCC unroll 1
          for (int a = 0; a < r; ++a) half[i][b] += F::G[i][a] * g[a][b];
        }
#pragma GCC unroll 1
      for (int place = 0; place < n * n; ++place) {
        V u{};
#pragma GCC unroll 1
        for (int b = 0; b < r; ++b) u += half[place / n][b] * F::G[place % n][b];
        const Narrow numbers = __builtin_convertvector(u, Narrow);
        __builtin_memcpy(packed + panel_at(p, place, f) + at, &numbers, sizeof numbers);
      }
    }
  }
}

// input[place, t, c] = B^T d B for the `count` tiles from `tile` on.
template <class F>
void transform_input(const Product& p, const Part& part, int64_t tile, int64_t count) {
  constexpr int n = F::n;
  const Gather& g = p.gather;
  for (int64_t t = 0; t < count; ++t) {
    const TilePlace at = place_of<F>(p, tile + t);
    const float* pixel[n][n];
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < n; ++j) {
        const int64_t h = at.row + i + g.vertical.least(), w = at.column + j + g.horizontal.least();
        const bool inside = h >= 0 && h < g.H && w >= 0 && w < g.W;
        pixel[i][j] = inside ? g.in + ((at.image * g.H + h) * g.W + w) * g.C : part.zeros;
      }
    }
    float* to = part.input + t * p.channels;
    for_lanes<float>(p.channels, [&](int64_t c, int64_t lanes) {
      Vec<float> d[n][n], v[n][n];
#pragma GCC unroll 6
      for (int i = 0; i < n; ++i)
#pragma GCC unroll 6
        for (int j = 0; j < n; ++j) d[i][j] = load(pixel[i][j] + c, lanes);
      both_ways<n, n>(v, d, [](Vec<float>(&y)[n], const Vec<float>(&x)[n]) { F::input(y, x); });
#pragma GCC unroll 6
      for (int i = 0; i < n; ++i)
#pragma GCC unroll 6
        for (int j = 0; j < n; ++j) store(to + (i * n + j) * part.input_step + c, v[i][j], lanes);
    });
  }
}

template <int V>
void multiply_place(const Product& p, const Part& part, const float* input, float* sums,
                    const float* panel, int64_t count, int64_t columns) {
  const int64_t stride = part.last - part.first;
  for (int64_t t = 0; t < count; t += kTileRows) {
    const int rows = int(rest(count, t, kTileRows));
    const float* from[kTileRows];
    float* to[kTileRows];
    for (int i = 0; i < kTileRows; ++i) {
      const int64_t row = t + (i < rows ? i : 0);
      from[i] = input + row * p.channels, to[i] = sums + row * stride;
    }
    Tile<V> tile{};
    const int64_t ahead = t == 0 ? V * kLanes<float> * p.channels : 0;  // the next panel
    multiply_rows<V>(tile, from, 0, panel, p.channels, ahead);
    store_tile<V>(tile, to, rows, columns, {});
  }
}

// sums[place, t, f] = sum over c of input[place, t, c] weight[place, c, f]
template <class F>
void multiply_places(const Product& p, const Part& part, int64_t count) {
  for (int64_t xi = 0; xi < F::n * F::n; ++xi) {
    const float* input = part.input + xi * part.input_step;
    float* sums = part.sums + xi * part.sums_step;
    for (int64_t f = part.first; f < part.last; f += kTileColumns) {
      const int64_t columns = rest(part.last, f, kTileColumns);
      const float* panel = p.packed + panel_at(p, xi, f);
      if (panel_width(f, p.filters) == kTileColumns) {
        multiply_place<kTileVecs>(p, part, input, sums + f - part.first, panel, count, columns);
      } else {
        multiply_place<1>(p, part, input, sums + f - part.first, panel, count, columns);
      }
    }
  }
}

// The tiles' results, with all that the product adds to them.
template <class F>
void transform_output(const Product& p, const Part& part, int64_t tile, int64_t count) {
  constexpr int n = F::n, m = F::m;
  const Gather& g = p.gather;
  const int64_t filters = part.last - part.first;
  const Vec<float> low = splat(p.act.low), high = splat(p.act.high);
  for (int64_t t = 0; t < count; ++t) {
    const TilePlace at = place_of<F>(p, tile + t);
    const int64_t rows = rest(g.rows, at.row, m), columns = rest(g.columns, at.column, m);
    const auto result = [&](int64_t i, int64_t j) {
      const int64_t h = (at.row + i) * p.step_h + p.at_h, w = (at.column + j) * p.step_w + p.at_w;
      return p.out + ((at.image * p.H + h) * p.W + w) * p.K + part.first;
    };
    const float* from = part.sums + t * filters;
    for_lanes<float>(filters, [&](int64_t f, int64_t lanes) {
      Vec<float> s[n][n], y[m][m];
#pragma GCC unroll 6
      for (int i = 0; i < n; ++i)
#pragma GCC unroll 6
        for (int j = 0; j < n; ++j) s[i][j] = load(from + (i * n + j) * part.sums_step + f, lanes);
      both_ways<n, m>(y, s, [](Vec<float>(&to)[m], const Vec<float>(&x)[n]) { F::output(to, x); });
      const Vec<float> bias =
          p.bias != nullptr ? load(p.bias + part.first + f, lanes) : Vec<float>{};
      for (int64_t i = 0; i < rows; ++i) {
        for (int64_t j = 0; j < columns; ++j) {
          float* to = result(i, j) + f;
          Vec<float> value = y[i][j] + bias;
          if (p.residual != nullptr) value += load(p.residual + (to - p.out), lanes);
          if (p.act.clamps) value = min(max(value, low), high);
          store(to, value, lanes);
        }
      }
    });
    if (p.act.map == nullptr) continue;
    float* results[m * m];
    int total = 0;
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j) results[total++] = result(i, j);
    p.act.map(results, total, filters, p.act.a, p.act.b);
  }
}

// Tiles of a block. Either the transformed input and the sums stay in the second-level cache, or,
// where the weights are so large that reading them for every such block takes longer, the block is
// as large as scratch memory may be (8 x 16 x 12 with 256 channels: 1.3 times as fast).
int64_t block_of(int64_t tiles, int64_t places, int64_t channels, int64_t filters) {
  constexpr int64_t kCache = 192 * 1024, kScratch = 1024 * 1024;
  const auto block = [&](int64_t numbers) {
    const int64_t fits = numbers / (places * (channels + filters)) / kTileRows * kTileRows;
    return even_part(tiles, fits > kTileRows ? fits : kTileRows, kTileRows);
  };
  const int64_t small = block(kCache), large = block(kScratch);
  const int64_t weights = channels * filters;  // read once a block, at each place
  const int64_t spilled = 2 * tiles * (channels + filters);
  return ceil_div(tiles, small) * weights > ceil_div(tiles, large) * weights + spilled ? large
                                                                                       : small;
}

template <class F>
void compute_part(const Product& p, Part part) {
  constexpr int64_t places = F::n * F::n, line = 16;
  const int64_t filters = part.last - part.first;
  part.block = block_of(part.end - part.begin, places, p.channels, filters);
  const auto step = [&](int64_t numbers) { return (whole(numbers, line) / line | 1) * line; };
  part.input_step = step(part.block * p.channels);
  part.sums_step = step(part.block * filters);
  const int64_t zeros = whole(p.channels, line);
  part.zeros = static_cast<float*>(
      thread_scratch(size_t(zeros + places * (part.input_step + part.sums_step)) * sizeof(float)));
  part.input = part.zeros + zeros;
  part.sums = part.input + places * part.input_step;
  for (int64_t i = 0; i < zeros; ++i) part.zeros[i] = 0;
  for (int64_t tile = part.begin; tile < part.end; tile += part.block) {
    const int64_t count = rest(part.end, tile, part.block);
    transform_input<F>(p, part, tile, count);
    multiply_places<F>(p, part, count);
    transform_output<F>(p, part, tile, count);
  }
}

}  // namespace

PackedForm winograd_form(const Product& p) {
  PackedForm form;
  by_transform(p, true, [&]<class F>(F) {
    form = {F::n * F::n * p.channels * padded_filters(p), F::form};
  });
  return form;
}

void pack_winograd(const Product& p, float* packed) {
  by_transform(p, true, [&]<class F>(F) {
    transform_weight<F>(p, packed, 0, ceil_div(p.filters, kTileColumns));
  });
}

bool winograd_pays(const Product& p) {
  bool pays = false;
  by_transform(p, false, [&]<class F>(F) {
    pays = F::n * F::n * p.channels * padded_filters(p) <= kMostWeights;
  });
  return pays;
}

void winograd_windows(const Exec& ex, const Product& product) {
  by_transform(product, product.packed != nullptr, [&]<class F>(F) {
    Product p = product;
    const int64_t tiles = tiling_of<F>(p.gather).count, units = ceil_div(tiles, kTileRows);
    const int64_t panels = ceil_div(p.filters, kTileColumns);
    if (p.packed == nullptr) {
      const int64_t numbers = F::n * F::n * p.channels * padded_filters(p);
      float* packed = static_cast<float*>(shared_scratch(size_t(numbers) * sizeof(float)));
      parallel_for(ex, panels, 1,
                   [&](int64_t begin, int64_t end) { transform_weight<F>(p, packed, begin, end); });
      p.packed = packed;
    }
    // Threads share out the tiles; where there are not enough of them, the filters, and each
    // transforms all of the input.
    const int64_t threads = thread_count(ex);
    const int64_t tile_parts = units >= 2 * threads || units % threads == 0 ? threads : 1;
    const int64_t filter_parts = rest(panels, 0, threads / tile_parts);
    parallel_for(ex, tile_parts * filter_parts, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t t = i / filter_parts, f = i % filter_parts;
        const auto tile = [&](int64_t part) {
          return rest(tiles, 0, units * part / tile_parts * kTileRows);
        };
        const auto filter = [&](int64_t part) {
          return rest(p.filters, 0, panels * part / filter_parts * kTileColumns);
        };
        compute_part<F>(
            p,
            Part{.begin = tile(t), .end = tile(t + 1), .first = filter(f), .last = filter(f + 1)});
      }
    });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
