#include <algorithm>

#include "graph/passes/passes.h"
#include "tensor/ops/elementwise.h"
#include "tensor/ops/fused.h"

namespace limber {

void fuse_activation(Graph& graph) {
  const std::vector<int> producers = graph.producers(), uses = graph.uses();
  std::vector<bool> gone(graph.nodes.size(), false);
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const GraphNode& node = graph.nodes[n];
    if (node.op->kind() != OpKind::Unary) continue;
    const kernels::UnaryArgs& act = static_cast<const UnaryOp&>(*node.op).args;
    const int x = node.inputs[0], made_by = producers[size_t(x)];
    if (!kernels::fuses(act.f) || made_by < 0 || uses[size_t(x)] != 1) continue;
    GraphNode& product = graph.nodes[size_t(made_by)];
    if (!is_fusable(graph, product)) continue;
    GraphNode fused = as_fused(product);
    FusedTail tail = tail_of(*fused.op);
    if (tail.acts) continue;
    tail.acts = true;
    tail.act = act;
    fused.op = with_tail(*fused.op, tail);
    fused.outputs = node.outputs;
    product = std::move(fused);
    gone[n] = true;
  }
  size_t n = 0;
  std::erase_if(graph.nodes, [&](const GraphNode&) { return gone[n++]; });
}

}  // namespace limber
