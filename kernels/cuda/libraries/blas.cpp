// Matrix products by cuBLASLt. The library counts columns first: a row-major C = A B is its
// C^T = B^T A^T, with the bias along what it calls rows, so the bias costs no launch of its own.
//
// The choice of an algorithm takes longer than a small product, so it is made once per shape.
#include "kernels/cuda/libraries/blas.h"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>

#include "kernels/cuda/runtime/check.h"
#include "kernels/cuda/runtime/libraries.h"
#include "kernels/gemm.h"

#define blas_check(ex, call) check_blas((call), #call, ex)

namespace limber::kernels {
namespace cuda {
namespace {

constexpr size_t kWorkspace = size_t{32} << 20;  // NVIDIA's advice for Hopper

cublasLtHandle_t handle_of(const Exec& ex) {
  static std::mutex mutex;
  static std::map<int, cublasLtHandle_t>& handles = *new std::map<int, cublasLtHandle_t>;
  std::lock_guard lock(mutex);
  cublasLtHandle_t& handle = handles[ex.device.index];
  if (handle == nullptr) blas_check(ex, cublasLtCreate(&handle));
  return handle;
}

struct Release {
  void operator()(cublasLtMatmulDescOpaque_t* d) const { cublasLtMatmulDescDestroy(d); }
  void operator()(cublasLtMatrixLayoutOpaque_t* d) const { cublasLtMatrixLayoutDestroy(d); }
  void operator()(cublasLtMatmulPreferenceOpaque_t* d) const { cublasLtMatmulPreferenceDestroy(d); }
};
using Product = std::unique_ptr<cublasLtMatmulDescOpaque_t, Release>;
using Layout = std::unique_ptr<cublasLtMatrixLayoutOpaque_t, Release>;
using Preference = std::unique_ptr<cublasLtMatmulPreferenceOpaque_t, Release>;

// Everything that the choice of an algorithm depends on.
using Key = std::tuple<int, DType, bool, bool, bool, bool, int64_t, int64_t, int64_t, int64_t,
                       int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, uint32_t>;

struct Plan {
  Product product;
  Layout a, b, c;
  cublasLtMatmulAlgo_t algorithm{};
};

// The largest power of two, up to 256, that all three addresses are multiples of.
uint32_t alignment_of(const void* a, const void* b, const void* c) {
  const uintptr_t bits = reinterpret_cast<uintptr_t>(a) | reinterpret_cast<uintptr_t>(b) |
                         reinterpret_cast<uintptr_t>(c) | 256;
  return uint32_t(bits & (~bits + 1));
}

// A row-major (rows, columns) matrix is the library's (columns, rows).
Layout make_layout(const Exec& ex, DType dtype, int64_t rows, int64_t columns, int64_t ld,
                   const Gemm& g, int64_t stride) {
  cublasLtMatrixLayout_t raw = nullptr;
  blas_check(ex, cublasLtMatrixLayoutCreate(&raw, library_type(ex, dtype), uint64_t(columns),
                                            uint64_t(rows), ld));
  Layout layout(raw);
  const auto batch = int32_t(g.batch);
  blas_check(ex, cublasLtMatrixLayoutSetAttribute(raw, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &batch,
                                                  sizeof batch));
  blas_check(ex, cublasLtMatrixLayoutSetAttribute(raw, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET,
                                                  &stride, sizeof stride));
  return layout;
}

Product make_product(const Exec& ex, const Gemm& g, DType dtype) {
  const bool fast = dtype == DType::f32 && gpu::tf32();
  cublasLtMatmulDesc_t raw = nullptr;
  blas_check(ex, cublasLtMatmulDescCreate(
                     &raw, fast ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F, CUDA_R_32F));
  Product product(raw);
  const cublasOperation_t left = g.trans_b ? CUBLAS_OP_T : CUBLAS_OP_N;
  const cublasOperation_t right = g.trans_a ? CUBLAS_OP_T : CUBLAS_OP_N;
  blas_check(ex,
             cublasLtMatmulDescSetAttribute(raw, CUBLASLT_MATMUL_DESC_TRANSA, &left, sizeof left));
  blas_check(
      ex, cublasLtMatmulDescSetAttribute(raw, CUBLASLT_MATMUL_DESC_TRANSB, &right, sizeof right));
  if (g.bias.data != nullptr) {
    const cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_BIAS;
    const cudaDataType_t type = library_type(ex, g.bias.dtype);
    blas_check(ex, cublasLtMatmulDescSetAttribute(raw, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue,
                                                  sizeof epilogue));
    blas_check(ex, cublasLtMatmulDescSetAttribute(raw, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, &type,
                                                  sizeof type));
  }
  return product;
}

Plan make_plan(const Exec& ex, const Gemm& g, DType dtype, uint32_t alignment) {
  Plan plan;
  plan.product = make_product(ex, g, dtype);
  plan.a =
      make_layout(ex, dtype, g.trans_b ? g.N : g.K, g.trans_b ? g.K : g.N, g.ldb, g, g.stride_b);
  plan.b =
      make_layout(ex, dtype, g.trans_a ? g.K : g.M, g.trans_a ? g.M : g.K, g.lda, g, g.stride_a);
  plan.c = make_layout(ex, dtype, g.M, g.N, g.ldc, g, g.stride_c);
  cublasLtMatmulPreference_t raw = nullptr;
  blas_check(ex, cublasLtMatmulPreferenceCreate(&raw));
  const Preference preference(raw);
  blas_check(ex, cublasLtMatmulPreferenceSetAttribute(raw, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                                      &kWorkspace, sizeof kWorkspace));
  for (const auto attribute :
       {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
    blas_check(ex,
               cublasLtMatmulPreferenceSetAttribute(raw, attribute, &alignment, sizeof alignment));
  cublasLtMatmulHeuristicResult_t found{};
  int count = 0;
  blas_check(ex, cublasLtMatmulAlgoGetHeuristic(handle_of(ex), plan.product.get(), plan.a.get(),
                                                plan.b.get(), plan.c.get(), plan.c.get(), raw, 1,
                                                &found, &count));
  if (count == 0)
    throw gpu::CudaError(std::string(ex.kernel) + ": cuBLASLt has no algorithm for M " +
                         std::to_string(g.M) + ", N " + std::to_string(g.N) + ", K " +
                         std::to_string(g.K));
  plan.algorithm = found.algo;
  return plan;
}

std::mutex& plans_mutex() {
  static std::mutex mutex;
  return mutex;
}

Plan& plan_for(const Exec& ex, const Gemm& g, DType dtype, uint32_t alignment) {
  static std::map<Key, Plan>& plans = *new std::map<Key, Plan>;
  const Key key{ex.device.index,
                dtype,
                gpu::tf32(),
                g.trans_a,
                g.trans_b,
                g.bias.data != nullptr,
                g.M,
                g.N,
                g.K,
                g.lda,
                g.ldb,
                g.ldc,
                g.batch,
                g.stride_a,
                g.stride_b,
                g.stride_c,
                alignment};
  const auto found = plans.find(key);
  if (found != plans.end()) return found->second;
  return plans.emplace(key, make_plan(ex, g, dtype, alignment)).first->second;
}

}  // namespace

void check_blas(cublasStatus_t status, const char* call, const Exec& ex) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw gpu::CudaError(std::string(ex.kernel) + ": " + call +
                       " failed: " + cublasLtGetStatusString(status));
}

cudaDataType_t library_type(const Exec& ex, DType dtype) {
  switch (dtype) {
    case DType::f32:
      return CUDA_R_32F;
    case DType::f16:
      return CUDA_R_16F;
    case DType::bf16:
      return CUDA_R_16BF;
    default:
      throw gpu::CudaError(std::string(ex.kernel) + ": products of f32, f16 and bf16 only");
  }
}

void gemm(const Exec& ex, const Gemm& g, Out c, In a, In b) {
  if (g.M * g.N * g.batch == 0) return;
  const float alpha = float(g.alpha), beta = float(g.beta);
  std::lock_guard lock(plans_mutex());  // the bias is written into the plan's descriptor
  Plan& plan = plan_for(ex, g, c.dtype, alignment_of(a.data, b.data, c.data));
  if (g.bias.data != nullptr)
    blas_check(ex,
               cublasLtMatmulDescSetAttribute(plan.product.get(), CUBLASLT_MATMUL_DESC_BIAS_POINTER,
                                              &g.bias.data, sizeof g.bias.data));
  void* workspace = gpu::allocate(ex.device.index, kWorkspace);
  const cublasStatus_t status =
      cublasLtMatmul(handle_of(ex), plan.product.get(), &alpha, b.data, plan.a.get(), a.data,
                     plan.b.get(), &beta, c.data, plan.c.get(), c.data, plan.c.get(),
                     &plan.algorithm, workspace, kWorkspace, static_cast<cudaStream_t>(ex.stream));
  gpu::release(ex.device.index, workspace, kWorkspace);
  blas_check(ex, status);
}

}  // namespace cuda

namespace gpu {

bool is_emulated() { return false; }

}  // namespace gpu
}  // namespace limber::kernels
