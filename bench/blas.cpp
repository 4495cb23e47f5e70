#include "bench/blas.h"

#ifdef LIMBER_BENCH_BLAS
#include <cblas.h>

namespace limber::bench {

bool has_blas() { return true; }

void blas_gemm(const kernels::Gemm& g, float* c, const float* a, const float* b, int threads) {
  openblas_set_num_threads(threads);
  cblas_sgemm(CblasRowMajor, g.trans_a ? CblasTrans : CblasNoTrans,
              g.trans_b ? CblasTrans : CblasNoTrans, int(g.M), int(g.N), int(g.K), float(g.alpha),
              a, int(g.lda), b, int(g.ldb), float(g.beta), c, int(g.ldc));
}

}  // namespace limber::bench
#else
namespace limber::bench {

bool has_blas() { return false; }
void blas_gemm(const kernels::Gemm&, float*, const float*, const float*, int) {}

}  // namespace limber::bench
#endif
