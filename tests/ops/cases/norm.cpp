#include "tests/ops/cases.h"

namespace limber::test {
namespace {

const Tensor kNone;

// x, weight, bias and running statistics; the statistics are rewritten in training, and carry no
// gradient.
OpCase batch_row(const std::string& name, const Shape& x, bool training, double lo = -1,
                 double hi = 2, double tolerance = 1e-5) {
  const Shape c{x[-1]};
  return {"BatchNorm/" + name,
          {{x, lo, hi}, {c, 0.5, 1.5}, {c}, {c, -1, 1, false}, {c, 0.5, 2, false}},
          [training](const auto& t) {
            return batch_norm(t[0], t[1], t[2], t[3], t[4], training, 0.1, 1e-3);
          },
          tolerance};
}

OpCase group_row(const std::string& name, const Shape& x, int groups) {
  const Shape c{x[-1]};
  return {"GroupNorm/" + name, {{x, -1, 2}, {c, 0.5, 1.5}, {c}}, [groups](const auto& t) {
            return group_norm(t[0], t[1], t[2], groups);
          }};
}

OpCase layer_row(const std::string& name, const Shape& x, double lo = -1, double hi = 2,
                 double tolerance = 1e-5) {
  const Shape c{x[-1]};
  return {"LayerNorm/" + name,
          {{x, lo, hi}, {c, 0.5, 1.5}, {c}},
          [](const auto& t) { return layer_norm(t[0], t[1], t[2]); },
          tolerance};
}

}  // namespace

std::vector<OpCase> norm_cases() {
  return {
      batch_row("training", {3, 5, 4, 17}, true),
      batch_row("training_many_blocks", {2, 40, 30, 19}, true),
      batch_row("training_wide", {3, 2, 2, 133}, true),
      batch_row("training_one_channel", {2, 3, 3, 1}, true),
      // A mean of a thousand deviations costs f32 three of its seven digits, stable sums or not.
      batch_row("training_far_from_zero", {4, 6, 6, 5}, true, 1000, 1003, 2e-4),
      batch_row("training_empty", {0, 3, 3, 6}, true),
      batch_row("evaluation", {3, 5, 4, 17}, false),
      batch_row("evaluation_one_value", {1, 7}, false),
      {"BatchNorm/training_bare",
       {{{6, 9}}},
       [](const auto& t) { return batch_norm(t[0], kNone, kNone, kNone, kNone, true); }},
      group_row("tokens", {2, 7, 18}, 3),
      group_row("image", {3, 5, 4, 12}, 4),
      group_row("instance", {2, 20, 20, 35}, 35),
      group_row("one_group", {2, 33}, 1),
      group_row("empty", {0, 4, 6}, 2),
      {"GroupNorm/bare",
       {{{3, 5, 6}}},
       [](const auto& t) { return group_norm(t[0], kNone, kNone, 2); }},
      layer_row("tokens", {2, 5, 37}),
      layer_row("many_rows", {700, 33}),
      layer_row("wide", {3, 384}),
      layer_row("short", {4, 3}),  // with two channels y is 1 and -1 whatever x is
      layer_row("far_from_zero", {4, 40}, 1000, 1003, 2e-4),
      layer_row("empty", {0, 8}),
      {"LayerNorm/bare", {{{3, 20}}}, [](const auto& t) { return layer_norm(t[0], kNone, kNone); }},
      {"ScaleNorm/rows",
       {{{2, 5, 37}}, {{1}, 0.5, 2}},
       [](const auto& t) { return scale_norm(t[0], t[1]); }},
      {"ScaleNorm/below_eps",
       {{{3, 9}, -1e-3, 1e-3}, {{1}, 0.5, 2}},
       [](const auto& t) { return scale_norm(t[0], t[1], 0.5); }},
      {"ScaleNorm/one_channel",
       {{{6, 1}, 0.5, 1}, {{1}, 0.5, 2}},
       [](const auto& t) { return scale_norm(t[0] + 0.1 * square(t[0]), t[1], 0.7); }},
      {"ScaleNorm/empty", {{{0, 4}}, {{1}}}, [](const auto& t) { return scale_norm(t[0], t[1]); }},
      {"PRelu/channels",
       {{{3, 5, 19}}, {{19}, 0.1, 0.4}},
       [](const auto& t) { return prelu(t[0], t[1]); }},
      {"PRelu/shared",
       {{{300, 70}}, {{1}, 0.1, 0.4}},
       [](const auto& t) { return prelu(t[0], t[1]); }},
      {"PRelu/empty", {{{0, 5}}, {{5}}}, [](const auto& t) { return prelu(t[0], t[1]); }},
  };
}

}  // namespace limber::test
