// Bell curves, in double and rounded once; a map is written where its curves are not 0 alone.
#include "kernels/targets.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

// The part of 0 ... n - 1 that a bell covers.
struct Span {
  int64_t begin, end;
  Span(const Bell& b, int64_t n)
      : begin(b.first > 0 ? b.first : 0),
        end(int64_t(b.first) + b.count < n ? int64_t(b.first) + b.count : n) {}
};

float value_at(const Bell& b, int64_t i) {
  const double d = double(i - b.first) - b.centre;
  return float(b.height * __builtin_exp(b.factor * d * d));
}

// map = max(map, product of the two curves), within both.
void draw_product(float* map, const Bell& across, const Bell& down, int64_t H, int64_t W) {
  const Span x(across, W), y(down, H);
  if (x.begin >= x.end) return;
  auto* line = static_cast<float*>(thread_scratch(size_t(x.end - x.begin) * sizeof(float)));
  for (int64_t w = x.begin; w < x.end; ++w) line[w - x.begin] = value_at(across, w);
  for (int64_t h = y.begin; h < y.end; ++h) {
    const float factor = value_at(down, h);
    for (int64_t w = x.begin; w < x.end; ++w) {
      const float v = factor * line[w - x.begin];
      float& to = map[h * W + w];
      to = v > to ? v : to;
    }
  }
}

}  // namespace

void draw_lines(const Exec& ex, Out y, In bells, int64_t rows, int64_t n) {
  parallel_for(ex, rows, 16, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const Bell& bell = bells.as<Bell>()[r];
      const Span span(bell, n);
      float* line = y.as<float>() + r * n;
      for (int64_t i = 0; i < n; ++i)
        line[i] = i >= span.begin && i < span.end ? value_at(bell, i) : bell.base;
    }
  });
}

void draw_maps(const Exec& ex, Out y, In bells, int64_t K, int64_t N, int64_t H, int64_t W) {
  parallel_for(ex, K, 4, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) {
      float* map = y.as<float>() + k * H * W;
      for (int64_t i = 0; i < H * W; ++i) map[i] = 0;
      const Bell* bell = bells.as<Bell>() + k * N * 2;
      for (int64_t n = 0; n < N; ++n, bell += 2) draw_product(map, bell[0], bell[1], H, W);
    }
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
