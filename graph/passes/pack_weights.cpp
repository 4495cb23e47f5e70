#include "graph/op_attributes.h"
#include "graph/passes/passes.h"
#include "tensor/ops/fused.h"

namespace limber {

void pack_weights(Graph& graph, const kernels::Exec& ex, PackedWeights& shared) {
  if (ex.device.is_cuda()) return;  // its kernels read weights as they are
  for (GraphNode& node : graph.nodes) {
    if (!is_fusable(graph, node)) continue;
    GraphNode fused = as_fused(node);
    FusedTail tail = tail_of(*fused.op);
    if (tail.packed) continue;
    const Shape x = graph.values[size_t(fused.inputs[0])].spec.shape;
    const Shape y = graph.values[size_t(fused.outputs[0])].spec.shape;
    if (x.numel() == 0 || y.numel() == 0) continue;
    const Tensor weight = graph.values[size_t(fused.inputs[1])].constant;
    const int64_t form = packed_weight_form(ex, *fused.op, x, weight, y);
    PackedWeight& one = shared[{weight.raw(), attribute_bytes(*fused.op), form}];
    if (!one.packed.defined()) one = {weight, packed_weight(ex, *fused.op, x, weight, y)};
    tail.packed = true;
    tail.weight = weight.shape();
    fused.op = with_tail(*fused.op, tail);
    fused.inputs[1] = graph.add_constant(one.packed);
    node = std::move(fused);
  }
}

}  // namespace limber
