#include "tests/ops/cases.h"

namespace limber::test {
namespace {

OpCase conv(const std::string& name, const Shape& x, const Shape& weight, const ConvGeometry& g,
            bool bias = true) {
  OpCase row{"Conv2d/" + name, {{x}, {weight}}, [=](const auto& in) {
               return conv2d(in[0], in[1], bias ? in[2] : Tensor(), g);
             }};
  if (bias) row.inputs.push_back({{weight[0]}});
  return row;
}

OpCase transposed(const std::string& name, const Shape& x, const Shape& weight,
                  const ConvGeometry& g, std::array<int, 2> output_padding = {0, 0},
                  bool bias = true) {
  OpCase row{"ConvTranspose2d/" + name, {{x}, {weight}}, [=](const auto& in) {
               return conv_transpose2d(in[0], in[1], bias ? in[2] : Tensor(), g, output_padding);
             }};
  if (bias) row.inputs.push_back({{weight[3] * g.groups}});
  return row;
}

std::vector<OpCase> dense_rows() {
  return {
      conv("3x3", {2, 7, 6, 5}, {9, 3, 3, 5}, {.padding = {1, 1}}),
      conv("3x3_no_bias", {1, 6, 6, 4}, {4, 3, 3, 4}, {.padding = {1, 1}}, false),
      conv("3x3_valid", {2, 5, 9, 3}, {17, 3, 3, 3}, {}),
      conv("3x3_stride", {2, 9, 8, 6}, {10, 3, 3, 6}, {.stride = {2, 2}, .padding = {1, 1}}),
      conv("3x3_dilated", {1, 9, 8, 3}, {5, 3, 3, 3}, {.padding = {2, 2}, .dilation = {2, 2}}),
      conv("3x3_dilated_stride", {1, 11, 9, 3}, {5, 3, 3, 3},
           {.stride = {2, 3}, .padding = {2, 1}, .dilation = {2, 2}}),
      conv("3x3_wide_channels", {1, 6, 5, 37}, {70, 3, 3, 37}, {.padding = {1, 1}}),
      conv("3x3_small_image", {5, 2, 3, 16}, {33, 3, 3, 16}, {.padding = {1, 1}}),
      conv("3x3_one_pixel", {2, 1, 1, 8}, {8, 3, 3, 8}, {.padding = {1, 1}}),
      conv("7x7_stem", {1, 15, 13, 3}, {8, 7, 7, 3}, {.stride = {2, 2}, .padding = {3, 3}}),
      conv("1x1", {2, 5, 7, 13}, {18, 1, 1, 13}, {}),
      conv("1x1_stride", {2, 5, 8, 13}, {18, 1, 1, 13}, {.stride = {2, 2}}),
      conv("1x1_padded", {1, 3, 4, 6}, {5, 1, 1, 6}, {.padding = {1, 2}}),
      conv("stride_above_kernel", {2, 9, 11, 4}, {6, 2, 2, 4}, {.stride = {3, 4}}),
      conv("rows_only", {1, 8, 5, 6}, {7, 3, 1, 6}, {.stride = {2, 1}, .padding = {1, 0}}),
      conv("columns_only", {2, 4, 9, 6}, {7, 1, 5, 6}, {.stride = {1, 2}, .padding = {0, 2}}),
      conv("sequence", {3, 1, 27, 10}, {12, 1, 3, 10}, {.dilation = {1, 3}}),
      conv("even_kernel", {1, 6, 7, 5}, {4, 4, 2, 5}, {.stride = {2, 1}, .padding = {1, 1}}),
      conv("patches", {2, 8, 12, 3}, {20, 4, 4, 3}, {.stride = {4, 4}}),
      conv("empty_batch", {0, 5, 5, 3}, {4, 3, 3, 3}, {.padding = {1, 1}}),
      conv("large", {2, 24, 18, 32}, {32, 3, 3, 32}, {.padding = {1, 1}}),
      conv("large_reduction", {1, 6, 5, 160}, {40, 3, 3, 160}, {.padding = {1, 1}}),
  };
}

std::vector<OpCase> grouped_rows() {
  return {
      conv("groups", {2, 6, 5, 12}, {9, 3, 3, 4}, {.padding = {1, 1}, .groups = 3}),
      conv("groups_1x1", {2, 6, 5, 12}, {8, 1, 1, 3}, {.groups = 4}),
      conv("groups_stride_dilated", {1, 9, 10, 10}, {6, 3, 3, 5},
           {.stride = {2, 2}, .padding = {2, 2}, .dilation = {2, 2}, .groups = 2}),
      conv("depthwise", {2, 6, 5, 19}, {19, 3, 3, 1}, {.padding = {1, 1}, .groups = 19}),
      conv("depthwise_stride", {2, 7, 8, 35}, {35, 3, 3, 1},
           {.stride = {2, 2}, .padding = {1, 1}, .groups = 35}),
      conv("depthwise_5x5_no_bias", {1, 8, 7, 16}, {16, 5, 5, 1}, {.padding = {2, 2}, .groups = 16},
           false),
      conv("depthwise_dilated", {1, 9, 9, 6}, {6, 3, 3, 1},
           {.padding = {2, 2}, .dilation = {2, 2}, .groups = 6}),
      conv("depthwise_sequence", {2, 1, 21, 9}, {9, 1, 7, 1}, {.padding = {0, 3}, .groups = 9}),
      conv("depthwise_stride_above_kernel", {1, 9, 7, 5}, {5, 2, 2, 1},
           {.stride = {3, 3}, .groups = 5}),
      conv("depthwise_empty", {0, 6, 5, 4}, {4, 3, 3, 1}, {.padding = {1, 1}, .groups = 4}),
      conv("depthwise_large", {2, 20, 17, 40}, {40, 3, 3, 1}, {.padding = {1, 1}, .groups = 40}),
      conv("depthwise_multiplier", {2, 5, 6, 6}, {12, 3, 3, 1}, {.padding = {1, 1}, .groups = 6}),
  };
}

std::vector<OpCase> transposed_rows() {
  return {
      transposed("4x4_stride", {2, 4, 3, 6}, {6, 4, 4, 5}, {.stride = {2, 2}, .padding = {1, 1}}),
      transposed("3x3_output_padding", {1, 4, 5, 3}, {3, 3, 3, 7},
                 {.stride = {2, 2}, .padding = {1, 1}}, {1, 1}),
      transposed("2x2_stride", {2, 3, 4, 5}, {5, 2, 2, 18}, {.stride = {2, 2}}, {0, 0}, false),
      transposed("stride_above_kernel", {1, 3, 3, 4}, {4, 2, 2, 3}, {.stride = {3, 3}}, {0, 2}),
      transposed("dilated", {1, 4, 4, 3}, {3, 3, 3, 4}, {.padding = {1, 0}, .dilation = {2, 2}}),
      transposed("groups", {2, 4, 3, 6}, {6, 4, 4, 2},
                 {.stride = {2, 2}, .padding = {1, 1}, .groups = 3}),
      transposed("depthwise", {2, 4, 3, 17}, {17, 4, 4, 1},
                 {.stride = {2, 2}, .padding = {1, 1}, .groups = 17}),
      transposed("1x1", {1, 4, 3, 6}, {6, 1, 1, 5}, {}),
      transposed("sequence", {2, 1, 9, 4}, {4, 1, 4, 6}, {.stride = {1, 2}, .padding = {0, 1}}),
      transposed("empty_batch", {0, 4, 3, 6}, {6, 4, 4, 5}, {.stride = {2, 2}, .padding = {1, 1}}),
      transposed("large", {2, 8, 6, 40}, {40, 4, 4, 33}, {.stride = {2, 2}, .padding = {1, 1}}),
  };
}

}  // namespace

std::vector<OpCase> conv_cases() {
  std::vector<OpCase> rows = dense_rows();
  for (auto more : {grouped_rows, transposed_rows})
    for (OpCase& row : more()) rows.push_back(std::move(row));
  return rows;
}

}  // namespace limber::test
