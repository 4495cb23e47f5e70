// The BLAS library behind the fast matrix product, kept to one thread: the pool splits the work.
#pragma once

#include <cstdint>

namespace limber::kernels {

struct BlasGemm {
  bool trans_a, trans_b;
  int64_t M, N, K, lda, ldb, ldc;
  double alpha, beta;
};

void blas_gemm(const BlasGemm& g, float* c, const float* a, const float* b);

}  // namespace limber::kernels
