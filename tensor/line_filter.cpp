#include "tensor/line_filter.h"

#include "kernels/line_filter.h"
#include "tensor/op.h"

namespace limber {

void filter_rows(const float* x, std::span<const float> weights, int64_t rows, int64_t columns,
                 float* y) {
  kernels::filter_rows(default_exec(), y, x, weights.data(), rows, columns,
                       int64_t(weights.size()));
}

void filter_columns(const float* x, std::span<const float> weights, int64_t rows, int64_t columns,
                    float* y) {
  kernels::filter_columns(default_exec(), y, x, weights.data(), rows, columns,
                          int64_t(weights.size()));
}

}  // namespace limber
