#include "kernels/cpu/runtime/blas.h"

#include <cblas.h>

namespace limber::kernels {

void blas_gemm(const BlasGemm& g, float* c, const float* a, const float* b) {
  static const bool single_threaded = (openblas_set_num_threads(1), true);
  (void)single_threaded;
  cblas_sgemm(CblasRowMajor, g.trans_a ? CblasTrans : CblasNoTrans,
              g.trans_b ? CblasTrans : CblasNoTrans, int(g.M), int(g.N), int(g.K), float(g.alpha),
              a, int(g.lda), b, int(g.ldb), float(g.beta), c, int(g.ldc));
}

}  // namespace limber::kernels
