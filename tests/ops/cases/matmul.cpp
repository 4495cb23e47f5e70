#include "tests/ops/cases.h"

namespace limber::test {
namespace {

OpCase row(const std::string& name, const Shape& a, const Shape& b, bool trans_a, bool trans_b) {
  return {"MatMul/" + name, {{a}, {b}}, [=](const auto& x) {
            return matmul(x[0], x[1], trans_a, trans_b);
          }};
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
      row("empty_batch", {0, 3, 4}, {4, 5}, false, false),
  };
}

}  // namespace limber::test
