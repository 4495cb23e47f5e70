// One row per case of an op: its inputs and how to call it. Five suites run over the same rows:
// gradient (analytic against differences, f64), precision (f32 against f64), isa (vector kernels
// against the baseline), threads (one thread against several) and, on request, performance.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tensor/ops.h"
#include "tensor/tensor.h"

namespace limber::test {

struct Input {
  Shape shape;
  double lo = -1, hi = 1;
  bool gradient = true;  // whether the gradient of this input is checked
};

struct OpCase {
  std::string name;  // Op/detail: what stands before the slash is a row of ops.def
  std::vector<Input> inputs;
  std::function<Tensor(const std::vector<Tensor>&)> call;
  double tolerance = 1e-5;  // f32 against f64, relative to the largest magnitude of the result
  bool differentiable = true;
  bool steps = false;  // jumps: a rounding more or less changes its results
};

// Names of all rows, for gtest's parameters; each file of tests/ops/cases adds its own.
const std::vector<OpCase>& op_cases();

std::vector<OpCase> elementwise_cases();
std::vector<OpCase> shape_cases();
std::vector<OpCase> reduce_cases();
std::vector<OpCase> softmax_cases();
std::vector<OpCase> matmul_cases();
std::vector<OpCase> cast_cases();
std::vector<OpCase> norm_cases();
std::vector<OpCase> pool_cases();
std::vector<OpCase> resize_cases();
std::vector<OpCase> index_cases();
std::vector<OpCase> attention_cases();
std::vector<OpCase> deform_attention_cases();
std::vector<OpCase> dropout_cases();
std::vector<OpCase> conv_cases();
std::vector<OpCase> deform_conv_cases();
std::vector<OpCase> fused_cases();

}  // namespace limber::test
