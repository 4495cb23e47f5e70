#include "tensor/ops/deform_attention.h"

#include "tests/ops/cases.h"

namespace limber::test {
namespace {

using Maps = std::vector<std::array<int64_t, 2>>;

// Locations reach a little past the maps' edges, where pixels count 0.
OpCase row(const std::string& name, int64_t N, int64_t Q, int64_t M, int64_t D, int64_t P,
           const Maps& maps, double beyond = 0.2) {
  int64_t pixels = 0;
  for (const auto& [h, w] : maps) pixels += h * w;
  const auto L = int64_t(maps.size());
  return {"MultiScaleDeformAttn/" + name,
          {{{N, pixels, M, D}}, {{N, Q, M, L, P, 2}, -beyond, 1 + beyond}, {{N, Q, M, L, P}, 0, 1}},
          [=](const auto& x) { return multi_scale_deform_attn(x[0], x[1], x[2], maps); },
          2e-5};
}

}  // namespace

std::vector<OpCase> deform_attention_cases() {
  return {
      row("one_map", 1, 3, 1, 4, 2, {{5, 4}}),
      row("pyramid", 2, 5, 3, 8, 4, {{7, 9}, {4, 5}, {2, 3}, {1, 1}}),
      row("odd", 2, 7, 2, 17, 3, {{5, 3}, {3, 2}}),
      row("wide", 1, 33, 2, 40, 1, {{6, 6}, {3, 3}}),
      row("one_channel", 1, 4, 3, 1, 2, {{4, 7}}),
      row("one_row", 1, 6, 1, 5, 3, {{1, 8}, {8, 1}}),
      row("mostly_outside", 1, 9, 1, 6, 4, {{3, 4}}, 2),
      row("no_queries", 2, 0, 1, 4, 2, {{2, 2}}),
  };
}

}  // namespace limber::test
