// The plain form of narrow products: what bf16 and int8 plans compute, written as loops.
#include "kernels/cpu/narrow.h"
#include "kernels/half.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

// Numbers of the whole weight, other phases of a transposed convolution included.
int64_t weight_size(const Product& p) {
  return p.filter_first ? p.filters * p.row_size : p.channels * p.row_size;
}

// A packed weight of int8: a step for each filter, then the integers.
const int8_t* integers(const Product& p, const void* packed) {
  return reinterpret_cast<const int8_t*>(static_cast<const float*>(packed) + p.filters);
}

// Calls term(place in x, place in the weight) for every product of a result.
template <class Term>
LIMBER_INLINE void for_each_term(const Product& p, int64_t image, int64_t row, int64_t column,
                                 int64_t f, const Term& term) {
  const Gather& g = p.gather;
  for (int64_t a = 0; a < g.vertical.count; ++a) {
    const int64_t h = row * g.step_h + g.vertical.offset[a];
    if (h < 0 || h >= g.H) continue;
    for (int64_t b = 0; b < g.horizontal.count; ++b) {
      const int64_t w = column * g.step_w + g.horizontal.offset[b];
      if (w < 0 || w >= g.W) continue;
      for (int64_t c = 0; c < p.channels; ++c)
        term(((image * g.H + h) * g.W + w) * g.C + c,
             weight_at(p, g.vertical.index[a], g.horizontal.index[b], f, c));
    }
  }
}

float plain_sum(const Product& p, const Narrow& n, const void* packed, int64_t image, int64_t row,
                int64_t column, int64_t f) {
  if (n.precision == Precision::bf16) {
    const uint16_t* weight = static_cast<const uint16_t*>(packed);
    float total = 0;
    for_each_term(p, image, row, column, f, [&](int64_t x, int64_t w) {
      total += from_bf16(to_bf16(p.gather.in[x])) * from_bf16(weight[w]);
    });
    return total;
  }
  const int8_t* weight = integers(p, packed);
  const Quantiser q = quantiser_of(n);
  int32_t total = 0;
  for_each_term(p, image, row, column, f, [&](int64_t x, int64_t w) {
    total += (quantised(p.gather.in[x], q) - q.zero) * int32_t(weight[w]);
  });
  return float(total) * (q.step * static_cast<const float*>(packed)[f]);
}

}  // namespace

float weight_step(const Product& p, int64_t f) {
  const int64_t taps = p.row_size / p.tap_size;
  float most = 0;
  for (int64_t t = 0; t < taps; ++t) {
    for (int64_t c = 0; c < p.channels; ++c) {
      const float w = __builtin_fabsf(p.weight[weight_at(p, 0, t, f, c)]);
      most = w > most ? w : most;
    }
  }
  return most / 127;
}

int64_t plain_narrow_numbers(const Product& p, const Narrow& n) {
  if (n.precision == Precision::bf16) return weight_size(p);
  return 4 * p.filters + (weight_size(p) + 3) / 4 * 4;
}

void pack_plain_narrow(const Product& p, const Narrow& n, void* packed) {
  if (n.precision == Precision::bf16) {
    for (int64_t i = 0; i < weight_size(p); ++i)
      static_cast<uint16_t*>(packed)[i] = to_bf16(p.weight[i]);
    return;
  }
  float* steps = static_cast<float*>(packed);
  int8_t* to = reinterpret_cast<int8_t*>(steps + p.filters);
  for (int64_t f = 0; f < p.filters; ++f) {
    steps[f] = weight_step(p, f);
    for (int64_t t = 0; t < p.row_size / p.tap_size; ++t) {
      for (int64_t c = 0; c < p.channels; ++c) {
        const int64_t at = weight_at(p, 0, t, f, c);
        to[at] = int8_t(quantised_weight(p.weight[at], steps[f]));
      }
    }
  }
}

void plain_narrow_windows(const Exec& ex, const Product& p, const Narrow& n, const void* packed) {
  const Gather& g = p.gather;
  parallel_for(ex, g.N * g.rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t image = i / g.rows, row = i % g.rows;
      const int64_t line = (image * p.H + row * p.step_h + p.at_h) * p.W + p.at_w;
      for (int64_t column = 0; column < g.columns; ++column) {
        for (int64_t f = 0; f < p.filters; ++f) {
          const int64_t at = (line + column * p.step_w) * p.K + f;
          float y = plain_sum(p, n, packed, image, row, column, f);
          if (p.bias != nullptr) y += p.bias[f];
          if (p.residual != nullptr) y += p.residual[at];
          if (p.act.clamps) y = y < p.act.low ? p.act.low : p.act.high < y ? p.act.high : y;
          p.out[at] = y;
          float* to = p.out + at;
          if (p.act.map != nullptr) p.act.map(&to, 1, 1, p.act.a, p.act.b);
        }
      }
    }
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
