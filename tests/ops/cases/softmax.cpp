#include "tests/ops/cases.h"

namespace limber::test {

std::vector<OpCase> softmax_cases() {
  return {
      {"Softmax/rows", {{{6, 37}, -5, 5}}, [](const auto& x) { return softmax(x[0]); }},
      {"Softmax/one_column", {{{6, 1}}}, [](const auto& x) { return softmax(x[0]); }},
      {"Softmax/large_values", {{{3, 40}, 80, 120}}, [](const auto& x) { return softmax(x[0]); }},
      {"LogSoftmax/rows", {{{6, 37}, -5, 5}}, [](const auto& x) { return log_softmax(x[0]); }},
  };
}

}  // namespace limber::test
