#include "tests/ops/cases.h"

namespace limber::test {
namespace {

struct Options {
  ConvGeometry geometry{};
  int offset_groups = 1;
  double reach = 1.4;  // of offsets
  bool bias = false;
};

// Differences across the kink at whole pixels would be no derivative, so the gradient rows keep
// offsets within (0.15, 0.85) of a pixel; one row without gradient goes beyond.
OpCase row(const std::string& name, const Shape& x, const Shape& weight, const Options& o,
           bool anywhere = false) {
  const ConvGeometry& g = o.geometry;
  const auto out = [&](int d) {
    return (x[d] + 2 * g.padding[size_t(d - 1)] - g.dilation[size_t(d - 1)] * (weight[d] - 1) - 1) /
               g.stride[size_t(d - 1)] +
           1;
  };
  const Shape offset{x[0], out(1), out(2), 2 * o.offset_groups * weight[1] * weight[2]};
  OpCase c;
  c.name = "DeformConv2d/" + name;
  c.inputs = {{x}, {offset, 0.15, 0.85}, {weight}};
  if (anywhere) c.inputs[1] = {offset, -o.reach, o.reach, false};
  if (o.bias) c.inputs.push_back({{weight[0]}});
  c.call = [=](const std::vector<Tensor>& t) {
    return deform_conv2d(t[0], t[1], t[2], o.bias ? t[3] : Tensor(), o.geometry, o.offset_groups);
  };
  return c;
}

}  // namespace

std::vector<OpCase> deform_conv_cases() {
  const ConvGeometry same{.padding = {1, 1}};
  return {
      row("one_group", {2, 5, 4, 3}, {5, 3, 3, 3}, {.geometry = same}),
      row("bias", {1, 4, 5, 3}, {2, 3, 3, 3}, {.geometry = same, .bias = true}),
      row("groups_of_both", {1, 5, 5, 6}, {9, 3, 3, 2},
          {.geometry = {.padding = {1, 1}, .groups = 3}, .offset_groups = 3}),
      row("more_offset_groups", {1, 4, 4, 12}, {4, 2, 2, 6},
          {.geometry = {.groups = 2}, .offset_groups = 4}),
      row("fewer_offset_groups", {1, 4, 4, 12}, {4, 2, 2, 3},
          {.geometry = {.groups = 4}, .offset_groups = 2}),
      row("stride_dilation", {1, 7, 8, 2}, {3, 3, 2, 2},
          {.geometry = {.stride = {2, 1}, .padding = {2, 0}, .dilation = {2, 3}}}),
      row("wide", {1, 6, 7, 51}, {51, 3, 3, 17},
          {.geometry = {.padding = {1, 1}, .groups = 3}, .offset_groups = 3}),
      row("far", {2, 5, 6, 19}, {7, 3, 3, 19}, {.geometry = same, .reach = 6}, /*anywhere=*/true),
      row("empty", {0, 5, 4, 3}, {5, 3, 3, 3}, {.geometry = same}),
  };
}

}  // namespace limber::test
