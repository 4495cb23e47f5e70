// limber_bench [FILTER] [--threads N] [--isa base|avx2|avx512|neon]: runs the benchmarks whose name
// contains FILTER and prints, for each, the median and the best of its runs.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <map>

#include "bench/bench.h"
#include "kernels/cpu/runtime/cpu_features.h"
#include "tensor/op.h"

namespace limber::bench {
namespace {

// One thread is timed by its processor time, which other programs on the machine disturb less.
double now() {
  timespec time;
  clock_gettime(threads() == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

double seconds(const std::function<void()>& run) {
  const double begin = now();
  run();
  return now() - begin;
}

struct Times {
  double median, best;
};

// As many runs as fit in a fifth of a second, seven at least.
Times time_of(const std::function<void()>& run) {
  run();  // makes the inputs, warms the caches
  std::vector<double> times;
  double total = 0;
  while (times.size() < 7 || (total < 0.2 && times.size() < 2000)) {
    times.push_back(seconds(run));
    total += times.back();
  }
  std::ranges::sort(times);
  return {times[times.size() / 2], times[0]};
}

void print(const Benchmark& b, Times time, std::map<std::string, double>& medians) {
  fmt::print("{:44} {:10.1f} us", b.name, time.median * 1e6);
  if (b.flops > 0)
    fmt::print(" {:7.1f} GFLOP/s (best {:.1f})", b.flops / time.median * 1e-9,
               b.flops / time.best * 1e-9);
  if (b.bytes > 0) fmt::print(" {:7.1f} GB/s", b.bytes / time.median * 1e-9);
  if (const auto whole = medians.find(b.share_of); whole != medians.end())
    fmt::print(" {:6.1f} % of {}", 100 * time.median / whole->second, b.share_of);
  medians[b.name] = time.median;
  fmt::print("\n");
  std::fflush(stdout);
}

}  // namespace
}  // namespace limber::bench

int main(int argc, char** argv) {
  using namespace limber;
  CLI::App app{"limber_bench: times operations"};
  std::string filter, isa;
  int wanted_threads = 0;
  app.add_option("filter", filter, "only benchmarks whose name contains this");
  app.add_option("--threads", wanted_threads, "default: one per core");
  app.add_option("--isa", isa, "base, avx2, avx512, neon; default: the best of this processor");
  CLI11_PARSE(app, argc, argv);
  if (wanted_threads > 0) set_threads(wanted_threads);
  for (kernels::Isa i : kernels::kIsas)
    if (isa == kernels::isa_name(i)) set_isa(i);
  fmt::print("{} threads, {}\n", threads(), kernels::isa_name(default_exec().isa));
  std::map<std::string, double> medians;
  for (auto family : {bench::peak_benchmarks, bench::gemm_benchmarks, bench::conv_benchmarks,
                      bench::decode_benchmarks}) {
    for (const bench::Benchmark& b : family()) {
      if (b.name.find(filter) != std::string::npos) bench::print(b, bench::time_of(b.run), medians);
    }
  }
}
