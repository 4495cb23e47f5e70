// Matrix products: the baseline in plain loops, the others through BLAS on parts of C.
#include "kernels/gemm.h"

#include "kernels/cpu/runtime/blas.h"
#include "kernels/cpu/simd.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

// Rows [begin, end) of C for one matrix of the batch. The plain form: for each row of C, add up
// multiples of the rows of op(B); where B is stored transposed, dot products instead.
template <class T>
void multiply_rows(const Gemm& g, T* c, const T* a, const T* b, int64_t begin, int64_t end) {
  for (int64_t m = begin; m < end; ++m) {
    T* row = c + m * g.ldc;
    for (int64_t n = 0; n < g.N; ++n) row[n] = g.beta == 0 ? T(0) : T(g.beta) * row[n];
    const auto element = [&](int64_t k) { return g.trans_a ? a[k * g.lda + m] : a[m * g.lda + k]; };
    if (g.trans_b) {
      for (int64_t n = 0; n < g.N; ++n) {
        T total = 0;
        for (int64_t k = 0; k < g.K; ++k) total += element(k) * b[n * g.ldb + k];
        row[n] += T(g.alpha) * total;
      }
      continue;
    }
    for (int64_t k = 0; k < g.K; ++k) {
      const T factor = T(g.alpha) * element(k);
      for_lanes<T>(g.N, [&](int64_t n, int64_t m_) {
        store(row + n, load(row + n, m_) + factor * load(b + k * g.ldb + n, m_), m_);
      });
    }
  }
}

#if !defined(LIMBER_ISA_base)
// The same rows by the library.
void multiply_rows(const Gemm& g, float* c, const float* a, const float* b, int64_t begin,
                   int64_t end) {
  const BlasGemm part{g.trans_a, g.trans_b, end - begin, g.N,     g.K,
                      g.lda,     g.ldb,     g.ldc,       g.alpha, g.beta};
  blas_gemm(part, c + begin * g.ldc, a + begin * (g.trans_a ? 1 : g.lda), b);
}
#endif

// Columns [begin, end): for products with few rows and many columns.
template <class T>
void multiply_columns(const Gemm& g, T* c, const T* a, const T* b, int64_t begin, int64_t end) {
  Gemm part = g;
  part.N = end - begin;
  multiply_rows(part, c + begin, a, b + begin * (g.trans_b ? g.ldb : 1), 0, g.M);
}

}  // namespace

void gemm(const Exec& ex, const Gemm& g, Out c, In a, In b) {
  by_float_type(c.dtype, [&]<class T>(T) {
    const int64_t work = g.M * g.N * g.K + 1;
    constexpr int64_t kGrain = 1 << 16;  // multiplications worth a thread
    if (g.batch > 1) {
      parallel_for(ex, g.batch, kGrain / work + 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i)
          multiply_rows(g, c.as<T>() + i * g.stride_c, a.as<T>() + i * g.stride_a,
                        b.as<T>() + i * g.stride_b, 0, g.M);
      });
    } else if (g.M >= g.N) {
      parallel_for(ex, g.M, kGrain / (work / (g.M + 1) + 1) + 1, [&](int64_t begin, int64_t end) {
        multiply_rows(g, c.as<T>(), a.as<T>(), b.as<T>(), begin, end);
      });
    } else {
      parallel_for(ex, g.N, kGrain / (work / (g.N + 1) + 1) + 1, [&](int64_t begin, int64_t end) {
        multiply_columns(g, c.as<T>(), a.as<T>(), b.as<T>(), begin, end);
      });
    }
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
