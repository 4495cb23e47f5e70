// How fast the processor multiplies and adds in f32 when nothing holds it up: operands in
// registers, twelve sums that do not wait for each other. The ceiling that others are a share of.
#include <thread>
#include <vector>

#include "bench/bench.h"
#include "kernels/cpu/runtime/cpu_features.h"
#include "tensor/op.h"

namespace limber::bench {
namespace {

constexpr int kSums = 12;  // latency 4, two a cycle: eight would do
constexpr int64_t kRounds = 1'000'000;

// `bytes`: of a vector. The result keeps the compiler from leaving the work out.
#define LIMBER_PEAK(name, bytes, target)                                                       \
  target float name() {                                                                        \
    typedef float Lanes __attribute__((vector_size(bytes)));                                   \
    Lanes sums[kSums] = {}, half = {}, one = {};                                               \
    half += 0.5f, one += 1.f;                                                                  \
    /* Different ones, or the compiler would do with one. */                                   \
    for (int i = 0; i < kSums; ++i) sums[i] += float(i);                                       \
    for (int64_t round = 0; round < kRounds; ++round) {                                        \
      _Pragma("GCC unroll 12") for (int i = 0; i < kSums; ++i) sums[i] = sums[i] * half + one; \
    }                                                                                          \
    for (int i = 1; i < kSums; ++i) sums[0] += sums[i];                                        \
    return sums[0][0];                                                                         \
  }

#if defined(__x86_64__)
LIMBER_PEAK(peak_base, 16, )
LIMBER_PEAK(peak_avx2, 32, __attribute__((target("avx2,fma"))))
LIMBER_PEAK(peak_avx512, 64, __attribute__((target("avx512f,prefer-vector-width=512"))))
#else
LIMBER_PEAK(peak_base, 16, )
#endif

struct Peak {
  float (*run)();
  int lanes;
};

Peak peak_of(kernels::Isa isa) {
#if defined(__x86_64__)
  if (isa == kernels::Isa::avx512) return {peak_avx512, 16};
  if (isa == kernels::Isa::avx2) return {peak_avx2, 8};
#endif
  (void)isa;
  return {peak_base, 4};
}

}  // namespace

std::vector<Benchmark> peak_benchmarks() {
  const Peak peak = peak_of(default_exec().isa);
  const double flops = 2.0 * kSums * peak.lanes * double(kRounds) * threads();
  return {{"peak/f32", flops, 0, [=] {
             std::vector<float> sums(static_cast<size_t>(threads()));
             std::vector<std::jthread> others;
             for (size_t t = 1; t < sums.size(); ++t)
               others.emplace_back([&sums, peak, t] { sums[t] = peak.run(); });
             sums[0] = peak.run();
           }}};
}

}  // namespace limber::bench
