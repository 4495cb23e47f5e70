#include "graph/op_attributes.h"
#include "graph/passes/passes.h"
#include "tensor/ops/fused.h"

namespace limber {
namespace {

// In what the product of x and a weight is meant to be computed.
kernels::Narrow wanted(const Value& x, const Value& weight) {
  if (weight.is_narrow() && weight.constant.dtype() == DType::bf16)
    return {.precision = kernels::Precision::bf16};
  if (weight.is_narrow() && weight.steps.defined() && x.low < x.high)
    return {.precision = kernels::Precision::int8, .low = x.low, .high = x.high};
  return {};
}

}  // namespace

void pack_weights(Graph& graph, const kernels::Exec& ex, PackedWeights& shared) {
  if (ex.device.is_cuda()) return;  // its kernels read weights as they are
  std::vector<int> uses = graph.uses();
  for (GraphNode& node : graph.nodes) {
    if (!is_fusable(graph, node)) continue;
    GraphNode fused = as_fused(node);
    FusedTail tail = tail_of(*fused.op);
    if (tail.packed) continue;
    const Value& x = graph.values[size_t(fused.inputs[0])];
    Value& weight = graph.values[size_t(fused.inputs[1])];
    const FusedShapes shapes{x.spec.shape, weight.spec.shape,
                             graph.values[size_t(fused.outputs[0])].spec.shape};
    if (shapes.x.numel() == 0 || shapes.y.numel() == 0) continue;
    const kernels::Narrow narrow = narrow_for(ex, *fused.op, shapes, wanted(x, weight));
    Tensor& packed =
        shared[{weight.constant.raw(), attribute_bytes(*fused.op),
                packed_weight_form(ex, *fused.op, shapes, narrow), narrow.low, narrow.high}];
    if (!packed.defined())
      packed = packed_weight(ex, *fused.op, shapes, narrow, widened_weight(weight, ex));
    tail.packed = true;
    tail.weight = shapes.weight;
    tail.narrow = narrow;
    fused.op = with_tail(*fused.op, tail);
    if (--uses[size_t(fused.inputs[1])] == 0) {
      weight.constant = {};  // the weight twice over, of all layers, would be the peak of memory
      trim_memory_cache();
    }
    fused.inputs[1] = graph.add_constant(packed);
    node = std::move(fused);
  }
}

}  // namespace limber
