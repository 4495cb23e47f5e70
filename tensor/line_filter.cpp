#include "tensor/line_filter.h"

#include "kernels/cpu/runtime/cpu_features.h"
#include "kernels/line_filter.h"

namespace limber {
namespace {

// They run on the calling thread: default_exec() would start the threads that ops run on.
kernels::Exec alone() { return {.isa = kernels::best_isa()}; }

}  // namespace

void filter_rows(const float* x, std::span<const float> weights, int64_t rows, int64_t columns,
                 float* y) {
  kernels::filter_rows(alone(), y, x, weights.data(), rows, columns, int64_t(weights.size()));
}

void filter_columns(const float* x, std::span<const float> weights, int64_t rows, int64_t columns,
                    float* y) {
  kernels::filter_columns(alone(), y, x, weights.data(), rows, columns, int64_t(weights.size()));
}

}  // namespace limber
