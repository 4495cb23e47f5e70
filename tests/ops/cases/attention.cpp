#include "tests/ops/cases.h"

namespace limber::test {
namespace {

struct Sizes {
  int64_t B, H, L, S, D, E;
};

// Scores spread over several units, so that the softmax is far from uniform.
OpCase row(const std::string& name, const Sizes& s, double scale) {
  return {"Attention/" + name,
          {{{s.B, s.H, s.L, s.D}, -2, 2}, {{s.B, s.H, s.S, s.D}, -2, 2}, {{s.B, s.H, s.S, s.E}}},
          [=](const auto& x) { return attention(x[0], x[1], x[2], {}, scale); },
          2e-5};
}

OpCase biased(const std::string& name, const Sizes& s, const Shape& bias) {
  OpCase c = row(name, s, 0.5);
  c.inputs.push_back({bias, -2, 2});
  c.call = [](const auto& x) { return attention(x[0], x[1], x[2], x[3], 0.5); };
  return c;
}

// The softmax of one score is 1 whatever it is: only the values have a gradient.
OpCase one_key() {
  OpCase c = row("one_key", {1, 2, 3, 1, 4, 5}, 0.5);
  c.inputs[0].gradient = c.inputs[1].gradient = false;
  return c;
}

}  // namespace

std::vector<OpCase> attention_cases() {
  return {
      row("small", {2, 3, 5, 7, 4, 6}, 0.5),
      row("blocks", {1, 2, 70, 150, 24, 40}, 0.2),
      row("odd", {2, 1, 65, 129, 17, 33}, 0.3),
      one_key(),
      row("one_query", {2, 2, 1, 90, 16, 16}, 0.25),
      row("empty_batch", {0, 2, 3, 4, 4, 4}, 0.5),
      biased("bias", {2, 2, 5, 7, 4, 6}, {2, 2, 5, 7}),
      biased("bias_per_head", {3, 2, 9, 67, 4, 6}, {2, 9, 67}),
      biased("bias_of_keys", {3, 2, 5, 7, 4, 6}, {3, 1, 1, 7}),
      biased("bias_per_sample", {2, 2, 66, 7, 4, 6}, {2, 1, 66, 7}),
  };
}

}  // namespace limber::test
