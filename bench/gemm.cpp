// Matrix products of the shapes that pose networks have, and the same by OpenBLAS as a yardstick.
#include <memory>

#include "bench/bench.h"
#include "bench/blas.h"
#include "kernels/gemm.h"
#include "tensor/op.h"

namespace limber::bench {
namespace {

struct Operands {
  Tensor a, b, c;
};

void add(std::vector<Benchmark>& list, int64_t M, int64_t N, int64_t K, bool trans_a,
         bool trans_b) {
  kernels::Gemm g;
  g.M = M, g.N = N, g.K = K, g.trans_a = trans_a, g.trans_b = trans_b;
  g.lda = trans_a ? M : K, g.ldb = trans_b ? K : N, g.ldc = N;
  const std::string shape = str(M, "x", N, "x", K, trans_a ? "_ta" : "", trans_b ? "_tb" : "");
  auto operands = std::make_shared<Operands>();
  const auto prepare = [operands, M, N, K] {
    if (operands->a.defined()) return;
    *operands = {Tensor::full({M, K}, 0.5), Tensor::full({K, N}, 0.25), Tensor::zeros({M, N})};
  };
  const double flops = 2.0 * double(M) * double(N) * double(K);
  const double bytes = 4.0 * double(M * K + K * N + M * N);
  list.push_back({"gemm/" + shape, flops, bytes, [=] {
                    prepare();
                    kernels::gemm(default_exec(), g, operands->c.out(), operands->a.in(),
                                  operands->b.in());
                  }});
  if (!has_blas()) return;
  list.push_back({"openblas/" + shape, flops, bytes, [=] {
                    prepare();
                    blas_gemm(g, operands->c.data<float>(), operands->a.data<float>(),
                              operands->b.data<float>(), threads());
                  }});
}

}  // namespace

std::vector<Benchmark> gemm_benchmarks() {
  std::vector<Benchmark> list;
  add(list, 3072, 64, 576, false, true);   // 3x3, 64 channels at 64 x 48
  add(list, 3072, 256, 64, false, true);   // 1x1 of a bottleneck
  add(list, 3072, 32, 288, false, true);   // HRNet's finest branch
  add(list, 768, 128, 1152, false, true);  // 3x3, 128 channels at 32 x 24
  add(list, 192, 512, 2048, false, true);  // 1x1 of the last stage
  add(list, 3072, 17, 256, false, true);   // heatmaps of a head
  add(list, 64, 576, 3072, true, false);   // weight gradients of the above
  add(list, 64, 576, 3072 * 8, true, false);
  add(list, 256, 64, 3072 * 8, true, false);
  add(list, 512, 2048, 192 * 8, true, false);
  add(list, 3072, 64, 256, false, false);  // data gradients
  add(list, 192 * 8, 2048, 512, false, false);
  add(list, 8, 2048, 2048, false, true);  // fully connected, small batch
  add(list, 1024, 1024, 1024, false, false);
  return list;
}

}  // namespace limber::bench
