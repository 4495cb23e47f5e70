// Row and column filters over host memory, for those who may not call kernels.
// See kernels/line_filter.h for the formulas.
#pragma once

#include <cstdint>
#include <span>

namespace limber {

// x (rows, columns + weights - 1) -> y (rows, columns).
void filter_rows(const float* x, std::span<const float> weights, int64_t rows, int64_t columns,
                 float* y);
// x (rows + weights - 1, columns) -> y (rows, columns); symmetric weights, an odd number of them.
void filter_columns(const float* x, std::span<const float> weights, int64_t rows, int64_t columns,
                    float* y);

}  // namespace limber
