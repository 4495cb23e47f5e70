#include "tests/ops/run_case.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "autograd/autograd.h"
#include "tests/support/tensors.h"

namespace limber::test {

std::vector<Tensor> make_inputs(const OpCase& row, DType dtype, Device device, DType rounding) {
  const bool narrow = dtype == DType::f16 || dtype == DType::bf16;
  const bool norm = row.name.find("Norm/") != std::string::npos;
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < row.inputs.size(); ++i) {
    const Input& in = row.inputs[i];
    // Values are rounded first, so that every suite sees the same numbers.
    const Tensor x = uniform(in.shape, in.lo, in.hi, 17 + i).to(rounding);
    inputs.push_back(x.to(narrow && norm && i > 0 ? DType::f32 : dtype).to(device));
  }
  return inputs;
}

Results run(const OpCase& row, DType dtype, Device device, DType rounding) {
  const DeviceScope scope(device);
  const std::vector<Tensor> inputs = make_inputs(row, dtype, device, rounding);
  for (size_t i = 0; i < inputs.size(); ++i)
    if (row.differentiable && row.inputs[i].gradient) require_grad(inputs[i]);
  Tape tape;
  Results results;
  const Tensor value = row.call(inputs);
  results.tensors.push_back(value.to(Device{}));
  if (!row.differentiable || value.numel() == 0) return results;
  tape.backward(value, uniform(value.shape(), -1, 1, 5).to(rounding).to(value.dtype()).to(device));
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!row.inputs[i].gradient) continue;
    const Tensor grad = grad_of(inputs[i]);
    results.tensors.push_back(grad.defined() ? grad.to(Device{}) : grad);
  }
  return results;
}

double difference(const Tensor& a, const Tensor& b) {
  EXPECT_EQ(a.shape(), b.shape());
  const Tensor x = a.to(DType::f64), y = b.to(DType::f64);
  double worst = 0, top = 1e-30;
  for (int64_t i = 0; i < x.numel(); ++i) {
    const double u = x.data<double>()[i], v = y.data<double>()[i];
    EXPECT_TRUE(std::isfinite(u) && std::isfinite(v)) << "element " << i << ": " << u << ", " << v;
    worst = std::max(worst, std::abs(u - v));
    top = std::max(top, std::abs(v));
  }
  return worst / top;
}

void expect_close(const Results& a, const Results& b, double tolerance) {
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (size_t i = 0; i < a.tensors.size(); ++i) {
    ASSERT_TRUE(a.tensors[i].defined() && b.tensors[i].defined()) << "gradient " << i;
    EXPECT_LE(difference(a.tensors[i], b.tensors[i]), tolerance)
        << (i == 0 ? "value" : "gradient of input " + std::to_string(i - 1));
  }
}

std::string parameter_name(size_t row) {
  std::string name = op_cases()[row].name;
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
}

}  // namespace limber::test
