#include "tests/ops/cases.h"

namespace limber::test {
namespace {

using Amounts = std::vector<std::pair<int64_t, int64_t>>;

// A row whose call sees its one input.
OpCase row(const std::string& name, const Shape& shape, Tensor (*call)(const Tensor&)) {
  return {name, {{shape}}, [call](const auto& x) { return call(x[0]); }};
}

}  // namespace

std::vector<OpCase> shape_cases() {
  using T = const Tensor&;
  return {
      row("Reshape/free_extent", {4, 6, 5},
          [](T x) {
            return reshape(x, {8, -1}) * 2.0;
          }),
      row("Permute/heads", {2, 5, 3, 8},
          [](T x) {
            return permute(x, {0, 2, 1, 3});
          }),
      row("Permute/channels_first", {2, 5, 6, 19},
          [](T x) {
            return permute(x, {0, 3, 1, 2});
          }),
      row("Permute/reversed", {3, 4, 5, 6},
          [](T x) {
            return permute(x, {3, 2, 1, 0});
          }),
      row("Permute/ones", {3, 1, 5},
          [](T x) {
            return permute(x, {1, 0, 2});
          }),
      row("Permute/empty", {0, 4, 5},
          [](T x) {
            return permute(x, {2, 0, 1});
          }),
      row("Permute/transpose_large", {2, 150, 131}, [](T x) { return transpose(x, -1, 1); }),
      row("Permute/pixel_shuffle", {2, 3, 4, 12}, [](T x) { return pixel_shuffle(x, 2); }),
      row("Expand/rows", {5, 1, 7},
          [](T x) {
            return expand(x, {3, 5, 4, 7});
          }),
      row("Expand/scalar", {},
          [](T x) {
            return expand(x, {4, 3});
          }),
      row("Expand/last", {5, 1},
          [](T x) {
            return expand(x, {5, 33});
          }),
      row("Slice/view", {6, 5, 3}, [](T x) { return slice(x, 0, 1, -2); }),
      row("Slice/channels", {4, 5, 19}, [](T x) { return slice(x, -1, 3, 1000); }),
      row("Slice/stepped", {4, 11, 5}, [](T x) { return slice(x, 1, 1, 10, 3); }),
      row("Slice/stepped_last", {4, 11}, [](T x) { return slice(x, 1, 0, 11, 2); }),
      row("Slice/empty", {4, 11}, [](T x) { return slice(x, 1, 5, 5); }),
      row("Slice/flip_last", {4, 11}, [](T x) { return flip(x, -1); }),
      row("Slice/flip_rows", {2, 7, 5, 3}, [](T x) { return flip(x, 1); }),
      {"Concat/channels",
       {{{3, 4, 5}}, {{3, 4, 17}}, {{3, 4, 1}}},
       [](const auto& x) { return concat(x, -1); }},
      {"Concat/batch", {{{3, 4}}, {{2, 4}}}, [](const auto& x) { return concat(x, 0); }},
      {"Concat/stack_last", {{{3, 4}}, {{3, 4}}}, [](const auto& x) { return stack(x, -1); }},
      {"Concat/stack_middle", {{{3, 4}}, {{3, 4}}}, [](const auto& x) { return stack(x, 1); }},
      row("Concat/same_twice", {3, 4},
          [](T x) {
            return concat({x, x}, 1);
          }),
      row("Concat/roll", {3, 9, 4}, [](T x) { return roll(x, 1, -2); }),
      row("Concat/large", {300, 70},
          [](T x) {
            return concat({x, x * 2.0}, 0);
          }),
      row("Split/chunk", {4, 5, 12},
          [](T x) {
            const auto parts = chunk(x, 3, -1);
            return parts[0] * parts[1] + parts[2];
          }),
      row("Split/unused_part", {9, 5},
          [](T x) {
            return split(x, std::vector<int64_t>{2, 4, 3}, 0)[1] * 2.0;
          }),
      row("Pad/border", {2, 3, 4},
          [](T x) {
            return pad(x, Amounts{{1, 0}, {2, 1}, {0, 3}}, 1.5);
          }),
      row("Pad/crop", {4, 5, 6},
          [](T x) {
            return pad(x, Amounts{{-1, 2}, {1, -2}, {-2, -1}});
          }),
      row("Pad/nothing_left", {4, 3},
          [](T x) {
            return pad(x, Amounts{{0, 0}, {-4, 5}}, 0.5);
          }),
      row("Pad/image", {2, 5, 6, 7}, [](T x) { return pad_image(x, 1, 2, 3, 0); }),
  };
}

}  // namespace limber::test
