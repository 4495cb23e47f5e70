#include "tests/ops/cases.h"

namespace limber::test {
namespace {

OpCase row(const std::string& name, const Shape& x, int64_t height, int64_t width,
           Interpolation mode, bool align_corners = false) {
  return {"Resize/" + name, {{x}}, [=](const auto& t) {
            return resize(t[0], height, width, mode, align_corners);
          }};
}

}  // namespace

std::vector<OpCase> resize_cases() {
  using enum Interpolation;
  return {
      row("nearest_double", {2, 3, 4, 17}, 6, 8, nearest),
      row("nearest_uneven", {1, 5, 7, 19}, 8, 4, nearest),
      row("nearest_smaller", {1, 9, 9, 3}, 2, 3, nearest),
      row("bilinear_double", {2, 3, 4, 17}, 6, 8, bilinear),
      row("bilinear_aligned", {2, 3, 4, 17}, 7, 5, bilinear, true),
      row("bilinear_smaller", {1, 9, 10, 33}, 4, 3, bilinear),
      row("bilinear_same", {1, 4, 3, 5}, 4, 3, bilinear),
      row("bilinear_one_pixel", {2, 1, 1, 5}, 3, 2, bilinear),
      row("bilinear_to_one_aligned", {2, 4, 5, 5}, 1, 1, bilinear, true),
      row("bicubic_double", {1, 3, 4, 17}, 6, 8, bicubic),
      row("bicubic_aligned", {2, 4, 3, 18}, 7, 5, bicubic, true),
      row("bicubic_smaller", {1, 8, 9, 5}, 3, 4, bicubic),
      row("bicubic_one_pixel", {2, 1, 1, 5}, 3, 2, bicubic),
      row("empty", {0, 3, 4, 5}, 6, 8, bilinear),
  };
}

}  // namespace limber::test
