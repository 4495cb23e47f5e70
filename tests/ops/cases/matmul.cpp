#include "tests/ops/cases.h"

namespace limber::test {
namespace {

OpCase row(const std::string& name, const Shape& a, const Shape& b, bool trans_a, bool trans_b) {
  return {"MatMul/" + name, {{a}, {b}}, [=](const auto& x) {
            return matmul(x[0], x[1], trans_a, trans_b);
          }};
}

OpCase linear_row(const std::string& name, const Shape& x, int64_t outputs, bool bias) {
  OpCase row{"Linear/" + name, {{x}, {{outputs, x[-1]}}}, [=](const auto& in) {
               return linear(in[0], in[1], bias ? in[2] : Tensor());
             }};
  if (bias) row.inputs.push_back({{outputs}});
  return row;
}

}  // namespace

std::vector<OpCase> matmul_cases() {
  return {
      row("plain", {13, 7}, {7, 19}, false, false),
      row("transposed_a", {7, 13}, {7, 19}, true, false),
      row("transposed_b", {13, 7}, {19, 7}, false, true),
      row("transposed_both", {7, 13}, {19, 7}, true, true),
      row("batch", {2, 3, 5, 7}, {2, 3, 7, 4}, false, false),
      row("batch_transposed", {6, 7, 5}, {6, 4, 7}, true, true),
      row("shared", {2, 3, 5, 7}, {7, 4}, false, false),
      row("shared_transposed", {2, 3, 5, 7}, {4, 7}, false, true),
      row("wide", {3, 65}, {65, 300}, false, false),
      row("one_row", {1, 9}, {9, 40}, false, false),
      row("one_column", {40, 9}, {9, 1}, false, false),
      row("long_reduction", {5, 1100}, {1100, 21}, false, false),
      row("long_reduction_transposed", {1100, 29}, {1100, 21}, true, false),
      row("whole_tiles", {48, 64}, {64, 64}, false, false),
      row("many_panels", {37, 70}, {310, 70}, false, true),
      linear_row("rows", {3, 5, 12}, 7, true),
      linear_row("no_bias", {6, 33}, 40, false),
      linear_row("vector", {9}, 4, true),
      linear_row("large", {130, 96}, 81, true),
      linear_row("long_reduction", {7, 1030}, 35, true),
      linear_row("empty", {0, 9}, 4, true),
      row("empty_batch", {0, 3, 4}, {4, 5}, false, false),
  };
}

}  // namespace limber::test
