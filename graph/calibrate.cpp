#include "graph/calibrate.h"

#include <algorithm>

#include "graph/passes/passes.h"

namespace limber {

Calibration::Calibration(const Graph& graph) : graph_(graph), ranges_(graph.nodes.size()) {}

void Calibration::add(std::span<const Tensor> inputs) {
  const NoRecord no_record;
  check(inputs.size() == graph_.inputs.size(), "calibrate: ", inputs.size(), " inputs of ",
        graph_.inputs.size());
  std::vector<int> uses = graph_.uses();
  std::vector<Tensor> tensors;
  for (const Value& value : graph_.values) tensors.push_back(value.constant);
  for (size_t i = 0; i < inputs.size(); ++i) tensors[size_t(graph_.inputs[i])] = inputs[i];
  for (size_t n = 0; n < graph_.nodes.size(); ++n) {
    const GraphNode& node = graph_.nodes[n];
    std::vector<Tensor> in;
    for (int v : node.inputs) in.push_back(v == kNoValue ? Tensor() : tensors[size_t(v)]);
    if (is_fusable(graph_, node)) {
      for (float x : in[0].span<const float>()) {
        ranges_[n].low = std::min(ranges_[n].low, x);
        ranges_[n].high = std::max(ranges_[n].high, x);
      }
    }
    const std::vector<Tensor> out = limber::apply(node.op, in);
    for (size_t i = 0; i < out.size(); ++i) tensors[size_t(node.outputs[i])] = out[i];
    for (int v : node.inputs)
      if (v != kNoValue && --uses[size_t(v)] == 0) tensors[size_t(v)] = {};
  }
}

void Calibration::apply(Graph& graph) const {
  const auto same = [](const GraphNode& a, const GraphNode& b) {
    return a.op->kind() == b.op->kind();
  };
  check(std::ranges::equal(graph.nodes, graph_.nodes, same),
        "calibrate: graphs of other ops at another batch size");
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    if (!is_fusable(graph, graph.nodes[n])) continue;
    const int x = graph.nodes[n].inputs[0];
    if (std::ranges::find(graph.inputs, x) != graph.inputs.end()) continue;
    graph.values[size_t(x)].low = ranges_[n].low;
    graph.values[size_t(x)].high = ranges_[n].high;
  }
}

}  // namespace limber
