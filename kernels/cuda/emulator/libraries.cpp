// What the emulator has in place of NVIDIA's libraries: the CPU's matrix product for cuBLAS, and no
// cuDNN, so that convolutions take this project's own kernels.
#include "kernels/cuda/runtime/libraries.h"

#include <algorithm>
#include <vector>

#include "kernels/copy.h"
#include "kernels/cpu/runtime/cpu_features.h"
#include "kernels/cuda/cudnn_conv.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/runtime/gpu.h"
#include "kernels/gemm.h"

namespace limber::kernels {
namespace {

// A matrix operand in f32: the memory itself, or a widened copy of all that the product reads.
struct Widened {
  std::vector<float> copy;
  In in;
  Widened(const Exec& cpu, In from, int64_t n) : in(from) {
    if (from.data == nullptr || from.dtype == DType::f32) return;
    copy.resize(size_t(n));
    in = {copy.data(), DType::f32};
    convert(cpu, {copy.data(), DType::f32}, from, n);
  }
};

// Elements from the first to the last one of a batch of matrices.
int64_t reach(int64_t rows, int64_t columns, int64_t ld, int64_t batch, int64_t stride) {
  return rows == 0 || columns == 0 ? 0 : (batch - 1) * stride + (rows - 1) * ld + columns;
}

}  // namespace

namespace gpu {

std::string library_versions() { return ""; }
bool is_emulated() { return true; }

}  // namespace gpu

namespace cuda {

namespace {

void run_gemm(const Exec& ex, const Gemm& g, Out c, In a, In b) {
  for (const void* operand : {static_cast<const void*>(c.data), a.data, b.data, g.bias.data})
    check_argument(ex, operand);
  Exec cpu;
  cpu.isa = best_isa();
  const int64_t n = reach(g.M, g.N, g.ldc, g.batch, g.stride_c);
  const Widened left(
      cpu, a, reach(g.trans_a ? g.K : g.M, g.trans_a ? g.M : g.K, g.lda, g.batch, g.stride_a));
  const Widened right(
      cpu, b, reach(g.trans_b ? g.N : g.K, g.trans_b ? g.K : g.N, g.ldb, g.batch, g.stride_b));
  Gemm wide = g;
  const Widened bias(cpu, g.bias, g.N);
  wide.bias = bias.in;
  if (c.dtype == DType::f32) return kernels::gemm(cpu, wide, c, left.in, right.in);
  Widened result(cpu, {c.data, c.dtype}, n);
  kernels::gemm(cpu, wide, {result.copy.data(), DType::f32}, left.in, right.in);
  kernels::convert(cpu, c, {result.copy.data(), DType::f32}, n);
}

}  // namespace

void gemm(const Exec& ex, const Gemm& g, Out c, In a, In b) {
  cuda_check_in(ex, emulator::enqueue(stream_of(ex), [=] {
                  run_gemm(ex, g, c, a, b);
                  return cudaSuccess;
                }));
}

bool cudnn_conv_forward(const Exec&, const Conv&, const Epilogue&, Out, In, In, In) {
  return false;
}
bool cudnn_conv_backward_data(const Exec&, const Conv&, const Epilogue&, Out, In, In, In) {
  return false;
}
bool cudnn_conv_backward_weight(const Exec&, const Conv&, Out, In, In) { return false; }

}  // namespace cuda
}  // namespace limber::kernels
