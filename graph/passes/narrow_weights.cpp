#include <algorithm>
#include <cmath>

#include "graph/passes/passes.h"
#include "kernels/copy.h"
#include "tensor/ops/fused.h"

namespace limber {
namespace {

// Where a weight's filters are: in its first dimension, or, of a transposed convolution, its last.
int filter_axis(const GraphNode& node) {
  const OpKind kind = node.op->kind();
  return kind == OpKind::ConvTranspose2d || kind == OpKind::ConvTransposeBiasAct ? -1 : 0;
}

// Which of the steps belongs to number i of a weight.
int64_t step_of(const Shape& weight, const Tensor& steps, int64_t i) {
  const int64_t filters = steps.numel(), first = weight[0];
  return steps.size(0) == first ? i / (weight.numel() / first) : i % filters;
}

void as_int8(Value& weight, int axis) {
  const Tensor w = weight.constant;
  const int rank = w.rank(), at = axis < 0 ? rank - 1 : axis;
  Shape shape = w.shape();
  for (int d = 0; d < rank; ++d)
    if (d != at) shape = shape.with(d, 1);
  const Tensor steps = Tensor::zeros(shape), integers = Tensor::empty(w.shape(), DType::u8);
  for (int64_t i = 0; i < w.numel(); ++i) {
    float& most = steps.data<float>()[step_of(w.shape(), steps, i)];
    most = std::max(most, std::abs(w.data<float>()[i]) / 127);
  }
  for (int64_t i = 0; i < w.numel(); ++i) {
    const float step = steps.data<float>()[step_of(w.shape(), steps, i)];
    const float q = step > 0 ? std::nearbyint(w.data<float>()[i] / step) : 0;
    integers.data<uint8_t>()[i] = uint8_t(std::clamp(q, -127.0f, 127.0f) + 128);
  }
  weight.constant = integers;
  weight.steps = steps;
}

// Of the whole graph's operands, whether int8 may stand for this node's.
bool takes_int8(const Graph& graph, const GraphNode& node) {
  const Value& x = graph.values[size_t(node.inputs[0])];
  if (!(x.low < x.high)) return false;
  const GraphNode fused = as_fused(node);
  const FusedShapes shapes{x.spec.shape, graph.values[size_t(node.inputs[1])].spec.shape,
                           graph.values[size_t(node.outputs[0])].spec.shape};
  return can_be_narrow(*fused.op, shapes);
}

}  // namespace

void narrow_weights(Graph& graph, kernels::Precision precision) {
  for (const GraphNode& node : graph.nodes) {
    if (!is_fusable(graph, node)) continue;
    Value& weight = graph.values[size_t(node.inputs[1])];
    if (weight.is_narrow() || precision == kernels::Precision::f32) continue;
    if (precision == kernels::Precision::bf16) {
      weight.constant = weight.constant.to(DType::bf16);
    } else if (takes_int8(graph, node)) {
      as_int8(weight, filter_axis(node));
    }
  }
}

Tensor widened_weight(const Value& value, const kernels::Exec& ex) {
  if (!value.is_narrow()) return value.constant;
  const Tensor wide = Tensor::empty(value.spec.shape);
  kernels::convert(ex, wide.out(), value.constant.in(), wide.numel());
  if (value.steps.defined()) {
    float* w = wide.data<float>();
    for (int64_t i = 0; i < wide.numel(); ++i)
      w[i] = (w[i] - 128) * value.steps.data<float>()[step_of(wide.shape(), value.steps, i)];
  }
  return wide;
}

}  // namespace limber
