#include "tests/ops/cases.h"

namespace limber::test {

std::vector<OpCase> shape_cases() {
  return {
      {"Reshape/free_extent",
       {{{4, 6, 5}}},
       [](const auto& x) {
         return reshape(x[0], {8, -1}) * 2.0;
       }},
  };
}

}  // namespace limber::test
