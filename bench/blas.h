// OpenBLAS, where the build found it: a yardstick, no part of the product.
#pragma once

#include "kernels/gemm.h"

namespace limber::bench {

bool has_blas();
void blas_gemm(const kernels::Gemm& g, float* c, const float* a, const float* b, int threads);

}  // namespace limber::bench
