// What the passes share that put things into the epilogues of convolutions and of fully connected
// layers; and their order.
#include "graph/passes/passes.h"
#include "tensor/ops/fused.h"

namespace limber {

bool is_fusable(const Graph& graph, const GraphNode& node) {
  switch (node.op->kind()) {
    case OpKind::Conv2d:
    case OpKind::ConvTranspose2d:
    case OpKind::Linear:
    case OpKind::ConvBiasAct:
    case OpKind::ConvTransposeBiasAct:
    case OpKind::LinearBiasAct: {
      const Value& weight = graph.values[size_t(node.inputs[1])];
      return weight.is_constant() && weight.spec.dtype == DType::f32 &&
             weight.spec.shape.numel() > 0;
    }
    default:
      return false;
  }
}

GraphNode as_fused(const GraphNode& node) {
  GraphNode fused = node;
  switch (node.op->kind()) {
    case OpKind::Conv2d:
      fused.op = std::make_shared<ConvBiasActOp>(static_cast<const Conv2dOp&>(*node.op).geometry);
      break;
    case OpKind::ConvTranspose2d: {
      const auto& op = static_cast<const ConvTranspose2dOp&>(*node.op);
      fused.op = std::make_shared<ConvTransposeBiasActOp>(op.geometry, op.output_padding);
      break;
    }
    case OpKind::Linear:
      fused.op = std::make_shared<LinearBiasActOp>();
      break;
    default:
      return fused;
  }
  fused.inputs.push_back(kNoValue);
  return fused;
}

FusedTail tail_of(const Op& fused) {
  switch (fused.kind()) {
    case OpKind::ConvBiasAct:
      return static_cast<const ConvBiasActOp&>(fused).tail;
    case OpKind::ConvTransposeBiasAct:
      return static_cast<const ConvTransposeBiasActOp&>(fused).tail;
    case OpKind::LinearBiasAct:
      return static_cast<const LinearBiasActOp&>(fused).tail;
    default:
      return {};
  }
}

std::shared_ptr<const Op> with_tail(const Op& fused, const FusedTail& tail) {
  const auto copy = [&](auto op) {
    op.tail = tail;
    return std::make_shared<const decltype(op)>(std::move(op));
  };
  switch (fused.kind()) {
    case OpKind::ConvBiasAct:
      return copy(static_cast<const ConvBiasActOp&>(fused));
    case OpKind::ConvTransposeBiasAct:
      return copy(static_cast<const ConvTransposeBiasActOp&>(fused));
    case OpKind::LinearBiasAct:
      return copy(static_cast<const LinearBiasActOp&>(fused));
    default:
      fail(fused.name(), ": is no fused op");
  }
}

void optimise(Graph& graph) {
  fold_constants(graph);
  fold_batchnorm(graph);
  fuse_residual(graph);
  fuse_activation(graph);
  remove_dead(graph);
}

}  // namespace limber
