// A model as data: operations over numbered values, in an order in which they can run.
//
// A graph is made by tracing (tracer.h), rewritten by passes (passes/passes.h), and run as a plan
// (plan.h). All its shapes are fixed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tensor/op.h"

namespace limber {

// A number of this stands for an argument left out.
constexpr int kNoValue = -1;

struct Value {
  Spec spec;
  // Defined for weights and whatever else does not depend on the inputs. A weight that is f32 by
  // its spec may be held, and is then multiplied, in narrower numbers: as bf16; or as u8, where the
  // weight is (constant - 128) steps. Its steps, one a filter, have the weight's rank and extents
  // of 1 but for the filters'.
  Tensor constant{}, steps{};
  // The range of what calibration saw here; none where low == high.
  float low = 0, high = 0;
  bool is_constant() const { return constant.defined(); }
  bool is_narrow() const { return is_constant() && constant.dtype() != spec.dtype; }
};

struct GraphNode {
  std::shared_ptr<const Op> op;
  std::vector<int> inputs;  // kNoValue for an argument left out
  std::vector<int> outputs;
};

struct Graph {
  std::vector<Value> values;
  std::vector<GraphNode> nodes;  // every node after those whose results it reads
  std::vector<int> inputs, outputs;
  std::vector<std::string> output_names;  // one per output; "" where there is one

  int add_value(const Spec& spec);
  int add_constant(const Tensor& value);

  // The node that makes a value, or -1: an input or a constant.
  std::vector<int> producers() const;
  // How often each value is read; being an output of the graph counts.
  std::vector<int> uses() const;
  // Every use of `from`, as an output of the graph too, becomes one of `to`.
  void replace_uses(int from, int to);
};

// Where the result of a view begins in its first input, in bytes; -1 for an op that makes numbers.
int64_t view_offset(const Op& op, const Spec& input);

}  // namespace limber
