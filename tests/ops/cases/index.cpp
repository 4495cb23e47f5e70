#include "tests/ops/cases.h"

namespace limber::test {
namespace {

// n positions in [0, below), repeats among them.
Tensor positions(const Shape& shape, int64_t below) {
  std::vector<int64_t> values;
  for (int64_t i = 0; i < shape.numel(); ++i) values.push_back((i * i * 7 + 3 * i + 1) % below);
  return Tensor::from(values, shape);
}

}  // namespace

std::vector<OpCase> index_cases() {
  return {
      {"Gather/select_rows",
       {{{6, 33}}},
       [](const auto& x) { return index_select(x[0], 0, positions({10}, 6)); }},
      {"Gather/select_middle",
       {{{3, 5, 4}}},
       [](const auto& x) { return index_select(x[0], 1, positions({7}, 5)); }},
      {"Gather/select_last",
       {{{3, 5, 4}}},
       [](const auto& x) { return index_select(x[0], -1, positions({2}, 4)); }},
      {"Gather/select_nothing",
       {{{3, 4}}},
       [](const auto& x) { return index_select(x[0], 0, positions({0}, 3)); }},
      {"Gather/select_wide",
       {{{40, 200}}},
       [](const auto& x) { return index_select(x[0], 0, positions({300}, 40)); }},
      {"Gather/last",
       {{{4, 9}}},
       [](const auto& x) {
         return gather(x[0], -1, positions({4, 12}, 9));
       }},
      {"Gather/middle",
       {{{2, 6, 5}}},
       [](const auto& x) {
         return gather(x[0], 1, positions({2, 3, 5}, 6));
       }},
      {"Extreme/max_last", {{{5, 37}}}, [](const auto& x) { return max(x[0], -1); }},
      {"Extreme/max_first_keep", {{{9, 21}}}, [](const auto& x) { return max(x[0], 0, true); }},
      {"Extreme/min_middle", {{{3, 8, 5}}}, [](const auto& x) { return min(x[0], 1); }},
      {"TopK/some", {{{5, 37}}}, [](const auto& x) { return topk(x[0], 6).first; }},
      {"TopK/all", {{{3, 9}}}, [](const auto& x) { return topk(x[0], 9).first; }},
      {"TopK/one", {{{3, 9}}}, [](const auto& x) { return topk(x[0], 1).first; }},
  };
}

}  // namespace limber::test
