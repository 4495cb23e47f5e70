#include <algorithm>

#include "graph/passes/passes.h"

namespace limber {

void fold_constants(Graph& graph) {
  const NoRecord no_record;
  std::vector<GraphNode> kept;
  for (GraphNode& node : graph.nodes) {
    const bool constant = std::ranges::all_of(
        node.inputs, [&](int v) { return v == kNoValue || graph.values[size_t(v)].is_constant(); });
    if (!constant) {
      kept.push_back(std::move(node));
      continue;
    }
    std::vector<Tensor> inputs;
    for (int v : node.inputs)
      inputs.push_back(v == kNoValue ? Tensor() : graph.values[size_t(v)].constant);
    const std::vector<Tensor> outputs = limber::apply(node.op, inputs);
    for (size_t i = 0; i < outputs.size(); ++i)
      graph.values[size_t(node.outputs[i])].constant = outputs[i];
  }
  graph.nodes = std::move(kept);
}

}  // namespace limber
