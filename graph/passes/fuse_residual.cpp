#include <algorithm>

#include "graph/passes/passes.h"
#include "tensor/ops/elementwise.h"
#include "tensor/ops/fused.h"

namespace limber {
namespace {

bool is_plain_sum(const GraphNode& node) {
  if (node.op->kind() != OpKind::Binary) return false;
  const auto& op = static_cast<const BinaryOp&>(*node.op);
  return op.f == kernels::Binary::add && op.shape_a == op.shape_b &&
         node.inputs[0] != node.inputs[1];
}

}  // namespace

void fuse_residual(Graph& graph) {
  const std::vector<int> uses = graph.uses();
  std::vector<int> producers = graph.producers();
  std::vector<bool> gone(graph.nodes.size(), false);
  // Whether the product behind input i of the sum can take the other summand.
  const auto candidate = [&](const GraphNode& sum, size_t i) {
    const int v = sum.inputs[i], n = producers[size_t(v)];
    if (n < 0 || uses[size_t(v)] != 1 || !is_fusable(graph, graph.nodes[size_t(n)])) return -1;
    const GraphNode fused = as_fused(graph.nodes[size_t(n)]);
    return fused.inputs[3] == kNoValue && !tail_of(*fused.op).acts ? n : -1;
  };
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const GraphNode sum = graph.nodes[n];
    if (!is_plain_sum(sum)) continue;
    // The later one: it waits the least for its turn at the sum's place.
    const int a = candidate(sum, 0), b = candidate(sum, 1), chosen = std::max(a, b);
    if (chosen < 0) continue;
    GraphNode fused = as_fused(graph.nodes[size_t(chosen)]);
    fused.inputs[3] = sum.inputs[chosen == a ? 1 : 0];
    fused.outputs = sum.outputs;
    gone[size_t(chosen)] = true;
    graph.nodes[n] = std::move(fused);
    producers[size_t(sum.outputs[0])] = int(n);
  }
  size_t n = 0;
  std::erase_if(graph.nodes, [&](const GraphNode&) { return gone[n++]; });
}

}  // namespace limber
