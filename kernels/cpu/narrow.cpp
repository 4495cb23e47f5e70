// x is rounded a chunk of rows at a time, with its border, into a strip in which the positions of
// all rows follow each other at one distance: so a block of them is one tile of memory for every
// tap, and neighbouring taps are one run of numbers. What separates the rows (the border that the
// end of one shares with the beginning of the next) counts as positions, whose results are dropped.
// Where the stride is more than one, rows of equal remainder lie together.
#include "kernels/cpu/narrow.h"

#include "kernels/cpu/narrow_units.h"
#include "kernels/cpu/tile.h"
#include "kernels/half.h"

namespace limber::kernels::cpu::LIMBER_ISA {

#if defined(LIMBER_ISA_avx512)
namespace {

constexpr int64_t kMostRuns = kMaxTaps * kMaxTaps;
constexpr int64_t kMostSegments = 32;        // images that a chunk may touch
constexpr int64_t kStripBytes = 512 * 1024;  // of a chunk: a part of the second-level cache
constexpr int64_t kPanelBytes = 256 * 1024;  // of panels that a chunk meets at a time: another
constexpr int64_t kGrain = 1 << 20;          // multiplications worth a thread

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Where a strip's numbers lie. Lines are input rows, in groups of those that a remainder of
// the vertical stride selects; `lines` of them a group.
struct Strip {
  int64_t pixel, line, step;  // bytes of a pixel, from line to line, from position to position
  int64_t width;              // pixels of a line
  int64_t per_line;           // positions from one row to the next
  int64_t tail;               // bytes behind the last line that taps may reach
  int64_t lines = 0;
  int64_t below = 0;  // lines that a row reads below its first
  int64_t groups = 0;
  int64_t remainder[kMaxTaps];
  Run runs[kMostRuns];
  int64_t run_count = 0, quads = 0;  // in all, padded

  int64_t bytes() const { return (groups * lines * line + tail + 63) / 64 * 64; }
};

// For segments of at most `rows` rows of positions.
void find_strip(const Product& p, const Narrow& n, int64_t rows, Strip& s) {
  const Gather& g = p.gather;
  const int64_t size = bytes_of(n.precision);
  const int64_t left = g.horizontal.least();
  const int64_t span = (g.columns - 1) * g.step_w + g.horizontal.span();
  // Of the border behind a row what can be that before the next, without covering a position.
  int64_t shared = g.horizontal.span() - 1;
  shared = rest(left < 0 ? -left : 0, 0, shared);
  shared = rest(left + span > g.W ? left + span - g.W : 0, 0, shared);
  s.pixel = g.C * size;
  s.per_line = ceil_div(span - shared, g.step_w);
  s.width = s.per_line * g.step_w;
  s.line = s.width * s.pixel;
  s.step = g.step_w * s.pixel;
  s.tail = shared * s.pixel + 4 * kQuads;
  const Taps &v = g.vertical, &h = g.horizontal;
  int64_t group[kMaxTaps];
  for (int64_t a = 0; a < v.count; ++a) {
    const int64_t down = v.offset[a] - v.least(), remainder = down % g.step_h;
    group[a] = 0;
    while (group[a] < s.groups && s.remainder[group[a]] != remainder) ++group[a];
    if (group[a] == s.groups) s.remainder[s.groups++] = remainder;
    s.below = down / g.step_h;  // offsets ascend
  }
  s.lines = rows + s.below;
  for (int64_t a = 0; a < v.count; ++a) {
    const int64_t down = group[a] * s.lines + (v.offset[a] - v.least()) / g.step_h;
    for (int64_t b = 0; b < h.count;) {
      int64_t taps = 1;
      while (b + taps < h.count && h.offset[b + taps] == h.offset[b] + taps) ++taps;
      Run& run = s.runs[s.run_count++];
      run = {down * s.line + (h.offset[b] - left) * s.pixel, ceil_div(taps * s.pixel, 4)};
      s.quads += run.padded();
      b += taps;
    }
  }
}

int64_t panel_bytes(const Strip& s) { return s.quads * 4 * kFilters; }

// Ahead of int8's panels: for each of the padded filters what is taken off its sum and what the
// rest is multiplied with.
struct Scales {
  const float* offset;  // the bits of integers
  const float* factor;
};
int64_t padded_filters(const Product& p) { return ceil_div(p.filters, kFilters) * kFilters; }
int64_t scales_bytes(const Product& p, const Narrow& n) {
  return n.precision == Precision::int8 ? padded_filters(p) * 8 : 0;
}

// ---- packing

// Filter f of one panel, `put(place, tap r, tap s, c)` for each of its numbers.
template <class Put>
void for_each_place(const Product& p, const Strip& s, int64_t per_quad, const Put& put) {
  const Taps &v = p.gather.vertical, &h = p.gather.horizontal;
  int64_t first = 0, run = 0;  // quads of the runs before
  for (int64_t a = 0; a < v.count; ++a) {
    for (int64_t b = 0; b < h.count; first += s.runs[run++].padded()) {
      const int64_t begin = b;
      int64_t k = 0;
      do {
        for (int64_t c = 0; c < p.channels; ++c, ++k)
          put((first + k / per_quad) * kFilters * per_quad + k % per_quad, v.index[a], h.index[b],
              c);
        ++b;
      } while (b < h.count && h.offset[b] == h.offset[begin] + (b - begin));
    }
  }
}

void pack_bf16(const Product& p, const Strip& s, uint16_t* packed) {
  for (int64_t i = 0; i < padded_filters(p) * s.quads * 2; ++i) packed[i] = 0;
  for (int64_t f = 0; f < p.filters; ++f) {
    uint16_t* to = packed + f / kFilters * s.quads * 2 * kFilters + f % kFilters * 2;
    for_each_place(p, s, 2, [&](int64_t at, int64_t r, int64_t t, int64_t c) {
      to[at] = to_bf16(p.weight[weight_at(p, r, t, f, c)]);
    });
  }
}

void pack_int8(const Product& p, const Narrow& n, const Strip& s, uint8_t* packed) {
  const Quantiser q = quantiser_of(n);
  for (int64_t i = 0; i < scales_bytes(p, n) + padded_filters(p) * s.quads * 4; ++i) packed[i] = 0;
  int32_t* offset = reinterpret_cast<int32_t*>(packed);
  float* factor = reinterpret_cast<float*>(offset + padded_filters(p));
  for (int64_t f = 0; f < p.filters; ++f) {
    const float step = weight_step(p, f);
    uint8_t* to =
        packed + scales_bytes(p, n) + f / kFilters * s.quads * 4 * kFilters + f % kFilters * 4;
    int32_t total = 0;
    for_each_place(p, s, 4, [&](int64_t at, int64_t r, int64_t t, int64_t c) {
      const int32_t w = quantised_weight(p.weight[weight_at(p, r, t, f, c)], step);
      to[at] = uint8_t(w);
      total += w;
    });
    offset[f] = q.zero * total;
    factor[f] = q.step * step;
  }
}

// ---- rounding x

// to[i] = bf16(from[i])
void round_numbers(uint16_t* to, const float* from, int64_t n) {
  for_lanes<float>(n, [&](int64_t i, int64_t m) {
    const Vec<float> x = load(from + i, m);
    const Bits<float> bits = (Bits<float>)x, nan = Bits<float>{} + 0x7fc00000;
    const Bits<float> rounded = bits + 0x7fff + ((bits >> 16) & 1);
    const Bits<float> top = (x == x ? rounded : nan) >> 16;
    _mm512_mask_cvtepi32_storeu_epi16(to + i, __mmask16((1u << m) - 1), (__m512i)top);
  });
}

// to[i] = quantised(from[i])
void round_numbers(uint8_t* to, const float* from, int64_t n, const Quantiser& q) {
  const Vec<float> low = splat(float(-q.zero)), high = splat(float(255 - q.zero));
  for_lanes<float>(n, [&](int64_t i, int64_t m) {
    const Vec<float> t = load(from + i, m) * q.inverse;
    const Vec<float> above = t > low ? t : low, inside = above < high ? above : high;
    const Bits<float> k = (Bits<float>)(inside + 12582912.0f) - 0x4b400000 + q.zero;
    _mm512_mask_cvtepi32_storeu_epi8(to + i, __mmask16((1u << m) - 1), (__m512i)k);
  });
}

// Rows [first, first + rows) of one image's positions, at `at` in the strip.
struct Segment {
  int64_t image, first, rows;
  uint8_t* at;
};

void load_segment(const Product& p, const Narrow& n, const Strip& s, const Segment& segment) {
  const Gather& g = p.gather;
  const Quantiser q = n.precision == Precision::int8 ? quantiser_of(n) : Quantiser{};
  const auto fill = [&](uint8_t* to, int64_t bytes) {
    __builtin_memset(to, q.zero, size_t(bytes));
  };
  const int64_t left = g.horizontal.least();
  const int64_t w0 = left > 0 ? left : 0, w1 = left + s.width < g.W ? left + s.width : g.W;
  const int64_t before = w0 - left, after = s.width - before - (w1 - w0);
  for (int64_t group = 0; group < s.groups; ++group) {
    uint8_t* to = segment.at + group * s.lines * s.line;
    for (int64_t i = 0; i < segment.rows + s.below; ++i, to += s.line) {
      const int64_t h = (segment.first + i) * g.step_h + g.vertical.least() + s.remainder[group];
      if (h < 0 || h >= g.H) {
        fill(to, s.line);
        continue;
      }
      const float* from = g.in + ((segment.image * g.H + h) * g.W + w0) * g.C;
      uint8_t* inside = to + before * s.pixel;
      fill(to, before * s.pixel);
      if (n.precision == Precision::bf16) {
        round_numbers(reinterpret_cast<uint16_t*>(inside), from, (w1 - w0) * g.C);
      } else {
        round_numbers(inside, from, (w1 - w0) * g.C, q);
      }
      fill(inside + (w1 - w0) * s.pixel, after * s.pixel);
    }
    fill(to, s.tail);
  }
}

// ---- results

// What a thread works with.
struct Work {
  const Product& p;
  const Narrow& n;
  const Strip& strip;
  Unit unit;
  const uint8_t* panels;
  Scales scales;
  float* sums;  // or the bits of integers
};

// `count` results of one position from filter f on, but for an activation that is no bound.
template <Precision kPrecision>
LIMBER_INLINE void finish_row(const Work& w, const float* sums, float* to, int64_t f,
                              int64_t count) {
  const Product& p = w.p;
  for_lanes<float>(count, [&](int64_t i, int64_t m) {
    Vec<float> y = load(sums + i);
    if constexpr (kPrecision == Precision::int8) {
      const Bits<float> sum = (Bits<float>)y - (Bits<float>)load(w.scales.offset + f + i);
      y = __builtin_convertvector(sum, Vec<float>) * load(w.scales.factor + f + i);
    }
    if (p.bias != nullptr) y += load(p.bias + f + i, m);
    if (p.residual != nullptr) y += load(p.residual + (to + i - p.out), m);
    if (p.act.clamps) y = min(max(y, splat(p.act.low)), splat(p.act.high));
    store(to + i, y, m);
  });
}

// A segment times the panels of filters [first, last).
template <Precision kPrecision>
void multiply_segment(const Work& w, const Segment& segment, int64_t first, int64_t last) {
  const Product& p = w.p;
  const Gather& g = p.gather;
  const int64_t positions = (segment.rows - 1) * w.strip.per_line + g.columns;
  const auto line_of = [&](int64_t row) {
    const int64_t y = (segment.first + row) * p.step_h + p.at_h;
    return p.out + ((segment.image * p.H + y) * p.W + p.at_w) * p.K;
  };
  int64_t row = 0, column = 0;
  float* line = line_of(0);
  for (int64_t m = 0; m < positions; m += w.unit.rows) {
    const int64_t rows = rest(positions, m, w.unit.rows);
    float* to[kMostRows];
    for (int64_t i = 0; i < rows; ++i) {
      to[i] = column < g.columns ? line + column * p.step_w * p.K : nullptr;
      if (++column == w.strip.per_line) column = 0, line = line_of(++row);
    }
    for (int64_t f = first; f < last; f += kFilters) {
      w.unit.multiply({segment.at + m * w.strip.step, w.strip.step, rows, w.strip.runs,
                       w.strip.run_count, w.panels + f / kFilters * panel_bytes(w.strip), w.sums});
      const int64_t count = rest(p.filters, f, kFilters);
      float* results[kMostRows];
      int total = 0;
      for (int64_t i = 0; i < rows; ++i) {
        if (to[i] == nullptr) continue;
        results[total++] = to[i] + f;
        finish_row<kPrecision>(w, w.sums + i * kFilters, to[i] + f, f, count);
      }
      if (p.act.map != nullptr) p.act.map(results, total, count, p.act.a, p.act.b);
    }
  }
}

// Bytes behind a strip that blocks read and whose products are dropped.
int64_t readable(const Strip& s) { return kMostRows * s.step + 4 * kQuads; }

// Rows [row_begin, row_end) of all images' positions, filters [first, last).
void compute_part(const Product& p, const Narrow& n, const uint8_t* packed, int64_t chunk,
                  const Strip& strip, int64_t row_begin, int64_t row_end, int64_t first,
                  int64_t last) {
  const Gather& g = p.gather;
  const int64_t segments = rest(ceil_div(chunk, g.rows) + 1, 0, kMostSegments);
  constexpr int64_t kSumBytes = kMostRows * kFilters * 4;
  uint8_t* scratch = static_cast<uint8_t*>(
      thread_scratch(size_t(kSumBytes + segments * strip.bytes() + readable(strip))));
  const float* scales = reinterpret_cast<const float*>(packed);
  const Work work{p,
                  n,
                  strip,
                  unit_of(n),
                  packed + scales_bytes(p, n),
                  {scales, scales + padded_filters(p)},
                  reinterpret_cast<float*>(scratch)};
  // Filters whose panels stay in the cache while the chunk passes by.
  const int64_t fits = kPanelBytes / panel_bytes(strip) * kFilters;
  const int64_t group = even_part(last - first, fits > kFilters ? fits : kFilters, kFilters);
  Segment loaded[kMostSegments];
  work.unit.begin();
  for (int64_t row = row_begin; row < row_end;) {
    int64_t count = 0;
    for (int64_t left = rest(row_end, row, chunk); left > 0 && count < segments; ++count) {
      const int64_t within = row % g.rows, rows = rest(g.rows, within, left);
      loaded[count] = {row / g.rows, within, rows, scratch + kSumBytes + count * strip.bytes()};
      load_segment(p, n, strip, loaded[count]);
      row += rows, left -= rows;
    }
    for (int64_t f = first; f < last; f += group) {
      for (int64_t i = 0; i < count; ++i) {
        if (n.precision == Precision::bf16) {
          multiply_segment<Precision::bf16>(work, loaded[i], f, f + rest(last, f, group));
        } else {
          multiply_segment<Precision::int8>(work, loaded[i], f, f + rest(last, f, group));
        }
      }
    }
  }
  work.unit.end();
}

// A product over single pixels that lie as they are read has one column of them all.
Product flattened(Product p) {
  Gather& g = p.gather;
  const bool single = g.vertical.count == 1 && g.horizontal.count == 1 && g.rows == g.H &&
                      g.columns == g.W && g.step_h == 1 && g.step_w == 1 &&
                      g.vertical.least() == 0 && g.horizontal.least() == 0 && p.step_h == 1 &&
                      p.step_w == 1;
  if (!single) return p;
  g.rows = g.H = p.H = g.N * g.H * g.W;
  g.N = g.columns = g.W = p.W = 1;
  return p;
}

}  // namespace

int64_t narrow_numbers(const Product& p, const Narrow& n) {
  if (n.unit == MatrixUnit::none) return plain_narrow_numbers(p, n);
  Strip strip;
  find_strip(p, n, 1, strip);
  const int64_t bytes = scales_bytes(p, n) + padded_filters(p) / kFilters * panel_bytes(strip);
  return bytes / bytes_of(n.precision);
}

void pack_narrow(const Product& p, const Narrow& n, void* packed) {
  if (n.unit == MatrixUnit::none) return pack_plain_narrow(p, n, packed);
  Strip strip;
  find_strip(p, n, 1, strip);
  n.precision == Precision::bf16 ? pack_bf16(p, strip, static_cast<uint16_t*>(packed))
                                 : pack_int8(p, n, strip, static_cast<uint8_t*>(packed));
}

void narrow_windows(const Exec& ex, const Product& given, const Narrow& n, const void* packed) {
  if (n.unit == MatrixUnit::none) return plain_narrow_windows(ex, given, n, packed);
  const Product p = flattened(given);
  const Gather& g = p.gather;
  const int64_t rows = g.N * g.rows, panels = ceil_div(p.filters, kFilters);
  if (rows == 0 || g.columns == 0) return;
  Strip one;
  find_strip(p, n, 1, one);
  const int64_t work = rows * g.columns * one.quads * 4 / bytes_of(n.precision) * p.filters;
  const int64_t threads = rest(thread_count(ex), 0, work / kGrain + 1);
  // What is larger is read once: threads share out the filters, and each rounds all of x, or they
  // share out the rows, and each reads all of the weight.
  const bool by_filters =
      panels >= threads && (rows < threads || panels * panel_bytes(one) > rows * one.line);
  // Rows of a chunk: as many as fit, in equal parts, and whole blocks where a row is one position.
  const int64_t mine = by_filters ? rows : ceil_div(rows, threads);
  const int64_t unit = one.per_line == 1 ? kMostRows : 1;
  const int64_t fits = kStripBytes / (one.groups * one.line) / unit * unit;
  const int64_t chunk = even_part(mine, fits > unit ? fits : unit, unit);
  Strip strip;
  find_strip(p, n, rest(g.rows, 0, chunk), strip);
  parallel_for(ex, threads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto bound = [&](int64_t parts, int64_t size, int64_t extent, int64_t at) {
        return rest(extent, 0, parts * at / threads * size);
      };
      const auto filter = [&](int64_t at) { return bound(panels, kFilters, p.filters, at); };
      const auto row = [&](int64_t at) { return bound(ceil_div(rows, unit), unit, rows, at); };
      compute_part(p, n, static_cast<const uint8_t*>(packed), chunk, strip, by_filters ? 0 : row(i),
                   by_filters ? rows : row(i + 1), by_filters ? filter(i) : 0,
                   by_filters ? filter(i + 1) : p.filters);
    }
  });
}

#else

int64_t narrow_numbers(const Product& p, const Narrow& n) { return plain_narrow_numbers(p, n); }

void pack_narrow(const Product& p, const Narrow& n, void* packed) {
  pack_plain_narrow(p, n, packed);
}

void narrow_windows(const Exec& ex, const Product& p, const Narrow& n, const void* packed) {
  plain_narrow_windows(ex, p, n, packed);
}

#endif

}  // namespace limber::kernels::cpu::LIMBER_ISA
