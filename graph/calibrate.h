// The ranges of what convolutions and fully connected layers read, seen while a graph runs on
// samples: what int8 weights need (narrow_weights() in passes/passes.h).
#pragma once

#include <span>
#include <vector>

#include "graph/graph.h"

namespace limber {

class Calibration {
 public:
  // Of a graph whose weights are f32 yet.
  explicit Calibration(const Graph& graph);

  // Runs the graph, op by op, on its inputs.
  void add(std::span<const Tensor> inputs);

  // Sets the ranges of a graph of the same ops, at any batch size. The graph's own inputs get none:
  // the first layer, which sees the picture, stays f32. Throws where the ops differ.
  void apply(Graph& graph) const;

 private:
  struct Range {
    float low = 0, high = 0;
  };
  Graph graph_;
  std::vector<Range> ranges_;  // by node
};

}  // namespace limber
