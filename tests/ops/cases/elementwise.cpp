#include "tests/ops/cases.h"

namespace limber::test {
namespace {

// Odd sizes leave a partial vector on every instruction set.
OpCase unary_row(const std::string& name, Tensor (*f)(const Tensor&), double lo, double hi,
                 bool differentiable = true) {
  return {"Unary/" + name, {{{7, 19}, lo, hi}}, [f](const auto& x) { return f(x[0]); }, 1e-5,
          differentiable,  !differentiable};
}

OpCase binary_row(const std::string& name, const Shape& a, const Shape& b,
                  Tensor (*f)(const Tensor&, const Tensor&), bool differentiable = true) {
  return {"Binary/" + name,
          {{a, 0.5, 2}, {b, 0.6, 2.1}},
          [f](const auto& x) { return f(x[0], x[1]); },
          1e-5,
          differentiable,
          !differentiable};
}

}  // namespace

std::vector<OpCase> elementwise_cases() {
  return {
      unary_row("relu", relu, -2, 2),
      unary_row("relu6", relu6, -3, 9),
      unary_row("silu", silu, -6, 6),
      unary_row("gelu", gelu, -4, 4),
      unary_row("sigmoid", sigmoid, -8, 8),
      unary_row("tanh", tanh, -4, 4),
      unary_row("hard_swish", hard_swish, -5, 5),
      unary_row("exp", exp, -10, 5),
      unary_row("log", log, 0.01, 30),
      unary_row("log1p", log1p, -0.9, 3),
      unary_row("sqrt", sqrt, 0.1, 9),
      unary_row("square", square, -3, 3),
      unary_row("reciprocal", reciprocal, 0.5, 3),
      unary_row("sin", sin, -7, 7),
      unary_row("cos", cos, -7, 7),
      unary_row("erf", erf, -3, 3),
      unary_row("abs", abs, -2, 2),
      unary_row(
          "neg", [](const Tensor& x) { return -x; }, -2, 2),
      unary_row(
          "leaky_relu", [](const Tensor& x) { return leaky_relu(x, 0.1); }, -2, 2),
      unary_row(
          "hard_sigmoid", [](const Tensor& x) { return hard_sigmoid(x); }, -5, 5),
      unary_row(
          "hard_sigmoid_mmcv", [](const Tensor& x) { return hard_sigmoid(x, 1, 2); }, -3, 3),
      unary_row(
          "clamp", [](const Tensor& x) { return clamp(x, -0.5, 0.75); }, -2, 2),
      unary_row(
          "pow", [](const Tensor& x) { return pow(x, 1.7); }, 0.2, 3),
      unary_row(
          "pow_7", [](const Tensor& x) { return pow(x, 7); }, -1.5, 1.5),
      unary_row(
          "scale", [](const Tensor& x) { return scale(x, 2.5, -1); }, -2, 2),
      unary_row("softplus", softplus, -12, 12),
      unary_row("log_sigmoid", log_sigmoid, -12, 12),
      unary_row("sign", sign, -2, 2, false),
      unary_row("floor", floor, -5, 5, false),
      unary_row("round", round, -5, 5, false),
      unary_row("is_positive", is_positive, -2, 2, false),
      {"Unary/empty", {{{0, 4}}}, [](const auto& x) { return relu(x[0]); }},
      {"Unary/large", {{{3, 257, 131}}}, [](const auto& x) { return silu(x[0]); }},
      binary_row("add", {3, 5, 7}, {3, 5, 7}, operator+),
      binary_row("add_channels", {3, 5, 17}, {17}, operator+),
      binary_row("sub_scalar", {3, 5}, {}, operator-),
      binary_row("mul_both_repeat", {4, 1, 6}, {5, 1}, operator*),
      binary_row("div_rows", {4, 1, 1, 6}, {4, 3, 2, 6}, operator/),
      binary_row("power", {9, 9}, {9}, pow),
      binary_row("maximum", {9, 9}, {9, 9}, maximum),
      binary_row("minimum", {9, 9}, {9}, minimum),
      binary_row("greater", {9, 9}, {9}, greater, false),
      binary_row("greater_equal", {9, 9}, {9}, greater_equal, false),
      binary_row("equal", {9, 9}, {9}, equal, false),
      binary_row("empty", {0, 3}, {3}, operator+),
      binary_row("large", {64, 33, 65}, {64, 1, 65}, operator*),
      {"Where/signs",
       {{{6, 11}, -1, 1, false}, {{6, 11}}, {{6, 11}}},
       [](const auto& x) { return where(is_positive(x[0]), x[1], x[2]); }},
  };
}

}  // namespace limber::test
