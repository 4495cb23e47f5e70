#include "tests/ops/cases.h"

namespace limber::test {

std::vector<OpCase> reduce_cases() {
  return {
      {"Sum/all", {{{5, 7, 9}}}, [](const auto& x) { return sum(x[0]); }},
      {"Sum/last", {{{5, 7, 33}}}, [](const auto& x) { return sum(x[0], {-1}); }},
      {"Sum/first_long", {{{700, 17}}}, [](const auto& x) { return sum(x[0], {0}); }},
      {"Sum/last_long", {{{2, 5000}}}, [](const auto& x) { return sum(x[0], {1}); }},
      {"Sum/split",
       {{{3, 4, 5, 6}}},
       [](const auto& x) {
         return sum(x[0], {0, 2});
       }},
      {"Sum/mean_keep",
       {{{3, 4, 5, 6}}},
       [](const auto& x) {
         return mean(x[0], {1, 2}, true);
       }},
      {"Sum/sum_to",
       {{{3, 4, 5}}},
       [](const auto& x) {
         return sum_to(x[0], {4, 1});
       }},
      {"Sum/norm", {{{3, 5, 4}}}, [](const auto& x) { return norm(x[0], 1); }},
      {"Sum/norm_keep", {{{3, 5, 7}}}, [](const auto& x) { return x[0] / norm(x[0], -1, true); }},
      {"Sum/empty", {{{0, 4}}}, [](const auto& x) { return sum(x[0], {0}); }},
  };
}

}  // namespace limber::test
