// What a gradient rule sees: one op's kept tensors and the gradients of its results.
#pragma once

#include <span>
#include <vector>

#include "tensor/op.h"

namespace limber {

class GradContext {
 public:
  GradContext(std::span<const Tensor> inputs, std::span<const Tensor> outputs,
              std::span<const Tensor> grads, std::span<const char> needs)
      : inputs_(inputs), outputs_(outputs), grads_(grads), needs_(needs), results_(needs.size()) {}

  // Kept by the op's Keep; undefined otherwise.
  const Tensor& input(int i) const { return inputs_[size_t(i)]; }
  const Tensor& output(int i) const { return outputs_[size_t(i)]; }
  // Gradient of output i; undefined when nothing depends on it.
  const Tensor& grad(int i = 0) const { return grads_[size_t(i)]; }
  // Whether anybody wants the gradient of input i.
  bool needs(int i) const { return needs_[size_t(i)] != 0; }
  // Hands back the gradient of input i, of its shape.
  void set(int i, Tensor gradient) { results_[size_t(i)] = std::move(gradient); }

  std::span<const Tensor> results() const { return results_; }

 private:
  std::span<const Tensor> inputs_, outputs_, grads_;
  std::span<const char> needs_;
  std::vector<Tensor> results_;
};

// The gradient rule of any op: dispatches to the overload backward(const SomeOp&, GradContext&).
void run_gradient_rule(const Op& op, GradContext& context);

}  // namespace limber
