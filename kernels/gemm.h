// Matrix products.
#pragma once

#include "kernels/kernel.h"

namespace limber::kernels {

// One product of a batch: C = alpha op(A) op(B) + beta C + bias with op(A): (M, K), op(B): (K, N),
// C: (M, N), all row-major; bias: (N,) or null, added to every row. `lda` and so on are the
// distances of rows as stored, that is before transposition; `stride_a` and so on the distances of
// the batch's matrices.
struct Gemm {
  bool trans_a = false, trans_b = false;
  int64_t M = 0, N = 0, K = 0;
  int64_t lda = 0, ldb = 0, ldc = 0;
  double alpha = 1, beta = 0;
  In bias{};
  int64_t batch = 1, stride_a = 0, stride_b = 0, stride_c = 0;
};

LIMBER_KERNEL(gemm, const Gemm& g, Out c, In a, In b)

}  // namespace limber::kernels
