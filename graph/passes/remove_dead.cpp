#include <algorithm>

#include "graph/passes/passes.h"

namespace limber {

void remove_dead(Graph& graph) {
  std::vector<bool> read(graph.values.size(), false), named(graph.values.size(), false);
  for (int v : graph.outputs) read[size_t(v)] = true;
  std::vector<GraphNode> kept;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (std::ranges::none_of(node->outputs, [&](int v) { return read[size_t(v)]; })) continue;
    for (int v : node->inputs)
      if (v != kNoValue) read[size_t(v)] = true;
    for (int v : node->outputs) named[size_t(v)] = true;
    kept.push_back(std::move(*node));
  }
  std::ranges::reverse(kept);
  graph.nodes = std::move(kept);
  for (int v : graph.inputs) named[size_t(v)] = true;

  std::vector<int> number(graph.values.size(), kNoValue);
  std::vector<Value> values;
  for (size_t v = 0; v < graph.values.size(); ++v) {
    if (!read[v] && !named[v]) continue;
    number[v] = int(values.size());
    values.push_back(std::move(graph.values[v]));
  }
  graph.values = std::move(values);
  const auto renumber = [&](std::vector<int>& list) {
    for (int& v : list)
      if (v != kNoValue) v = number[size_t(v)];
  };
  for (GraphNode& node : graph.nodes) {
    renumber(node.inputs);
    renumber(node.outputs);
  }
  renumber(graph.inputs);
  renumber(graph.outputs);
}

}  // namespace limber
