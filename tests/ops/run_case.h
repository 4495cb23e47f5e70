// Runs a row of the table of op cases, and compares what two runs gave.
#pragma once

#include "tests/ops/cases.h"

namespace limber::test {

// The row's inputs, the same numbers for every type and device, rounded to `rounding` first. With
// f16 and bf16, weights and biases of norms stay f32.
std::vector<Tensor> make_inputs(const OpCase& row, DType dtype, Device device = {},
                                DType rounding = DType::f32);

struct Results {
  std::vector<Tensor> tensors;  // the value, then the gradients; on the CPU
};

// Value and gradients of a fixed random projection of it.
Results run(const OpCase& row, DType dtype, Device device = {}, DType rounding = DType::f32);

// Largest difference in units of the largest magnitude of b.
double difference(const Tensor& a, const Tensor& b);

void expect_close(const Results& a, const Results& b, double tolerance);

// A row's name as gtest wants it.
std::string parameter_name(size_t row);

}  // namespace limber::test
