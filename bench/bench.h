// A benchmark: what to run, and what it costs in arithmetic and memory traffic.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace limber::bench {

struct Benchmark {
  std::string name;           // family/case, what the command line's filter matches
  double flops = 0;           // additions and multiplications of one run; 0: not counted
  double bytes = 0;           // read and written at least; 0: not counted
  std::function<void()> run;  // once; inputs are made on the first call
  std::string share_of = "";  // a benchmark run before, of whose time this one's share is printed
};

std::vector<Benchmark> peak_benchmarks();
std::vector<Benchmark> gemm_benchmarks();
std::vector<Benchmark> conv_benchmarks();
std::vector<Benchmark> decode_benchmarks();

}  // namespace limber::bench
