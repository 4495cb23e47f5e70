#include "tests/ops/cases.h"

namespace limber::test {
namespace {

OpCase max_row(const std::string& name, const Shape& x, const PoolGeometry& g) {
  return {"MaxPool2d/" + name, {{x}}, [g](const auto& t) { return max_pool2d(t[0], g); }};
}

OpCase avg_row(const std::string& name, const Shape& x, const PoolGeometry& g) {
  return {"AvgPool2d/" + name, {{x}}, [g](const auto& t) { return avg_pool2d(t[0], g); }};
}

OpCase adaptive_row(const std::string& name, const Shape& x, int64_t height, int64_t width) {
  return {"AvgPool2d/adaptive_" + name, {{x}}, [=](const auto& t) {
            return adaptive_avg_pool2d(t[0], height, width);
          }};
}

}  // namespace

std::vector<OpCase> pool_cases() {
  return {
      max_row("stem", {2, 9, 7, 17}, {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}}),
      max_row("halves", {2, 6, 8, 33}, {}),
      max_row("same_size", {1, 7, 6, 5}, {.kernel = {5, 5}, .stride = {1, 1}, .padding = {2, 2}}),
      max_row("ceil", {1, 6, 7, 3},
              {.kernel = {3, 2}, .stride = {2, 3}, .padding = {1, 0}, .ceil_mode = true}),
      max_row("one_pixel", {3, 1, 1, 4}, {.kernel = {1, 1}, .stride = {1, 1}}),
      max_row("empty", {0, 4, 4, 3}, {}),
      avg_row("halves", {2, 6, 8, 17}, {}),
      avg_row("padding_counts", {1, 7, 5, 19},
              {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}}),
      avg_row("padding_left_out", {1, 7, 5, 19},
              {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}, .count_include_pad = false}),
      avg_row("ceil", {2, 6, 8, 3},
              {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}, .ceil_mode = true}),
      avg_row("ceil_padding_left_out", {2, 6, 7, 3},
              {.kernel = {2, 3},
               .stride = {3, 2},
               .padding = {1, 0},
               .ceil_mode = true,
               .count_include_pad = false}),
      avg_row("gaps", {1, 9, 9, 2}, {.kernel = {2, 1}, .stride = {4, 3}}),
      avg_row("empty", {0, 4, 4, 3}, {}),
      adaptive_row("one", {3, 5, 4, 33}, 1, 1),
      adaptive_row("uneven", {2, 7, 5, 18}, 3, 2),
      adaptive_row("larger", {1, 3, 2, 5}, 5, 3),
      adaptive_row("empty", {0, 4, 4, 3}, 2, 2),
  };
}

}  // namespace limber::test
