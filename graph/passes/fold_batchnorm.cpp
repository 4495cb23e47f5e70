#include <algorithm>
#include <array>
#include <cmath>

#include "graph/passes/passes.h"
#include "tensor/ops/conv.h"
#include "tensor/ops/norm.h"

namespace limber {
namespace {

// The affine map that batch norm is in evaluation mode, per channel.
struct Affine {
  std::vector<double> scale, shift;
};

// The numbers of a constant on the CPU, undefined for kNoValue. What is folded is computed there
// and goes back to where the constant lies.
Tensor on_cpu(const Graph& graph, int v) {
  return v == kNoValue ? Tensor() : graph.values[size_t(v)].constant.to(Device{});
}

Affine affine_of(const Graph& graph, const GraphNode& norm) {
  std::array<Tensor, 5> held;
  const auto numbers = [&](size_t input) -> const float* {
    held[input] = on_cpu(graph, norm.inputs[input]);
    return held[input].defined() ? held[input].data<float>() : nullptr;
  };
  const float *gamma = numbers(1), *beta = numbers(2), *mean = numbers(3), *var = numbers(4);
  const double eps = static_cast<const BatchNormOp&>(*norm.op).eps;
  Affine a;
  const int64_t channels = graph.values[size_t(norm.inputs[3])].spec.shape.numel();
  for (int64_t c = 0; c < channels; ++c) {
    a.scale.push_back((gamma ? double(gamma[c]) : 1) / std::sqrt(double(var[c]) + eps));
    a.shift.push_back((beta ? double(beta[c]) : 0) - double(mean[c]) * a.scale.back());
  }
  return a;
}

// The channel of the result that each row of the weight's last dimension belongs to, or, for
// weights with filters first, that each filter is.
Tensor scaled_weight(const GraphNode& node, const Tensor& weight, const Affine& a) {
  Tensor scaled = weight.clone();
  float* w = scaled.data<float>();
  const int64_t first = weight.size(0), row = weight.numel() / first;
  if (node.op->kind() != OpKind::ConvTranspose2d) {
    for (int64_t o = 0; o < first; ++o)
      for (int64_t i = 0; i < row; ++i) w[o * row + i] *= float(a.scale[size_t(o)]);
    return scaled;
  }
  const int64_t groups = static_cast<const ConvTranspose2dOp&>(*node.op).geometry.groups;
  const int64_t filters = weight.size(-1);  // of a group
  for (int64_t c = 0; c < first; ++c) {
    const int64_t group = c / (first / groups);
    for (int64_t i = 0; i < row; ++i)
      w[c * row + i] *= float(a.scale[size_t(group * filters + i % filters)]);
  }
  return scaled;
}

bool folds(const Graph& graph, const GraphNode& norm) {
  if (norm.op->kind() != OpKind::BatchNorm) return false;
  if (static_cast<const BatchNormOp&>(*norm.op).training) return false;
  for (size_t i = 1; i < norm.inputs.size(); ++i) {
    const int v = norm.inputs[i];
    if (v != kNoValue && !graph.values[size_t(v)].is_constant()) return false;
  }
  return graph.values[size_t(norm.inputs[0])].spec.dtype == DType::f32;
}

bool takes_scale(const GraphNode& node) {
  const OpKind kind = node.op->kind();
  return kind == OpKind::Conv2d || kind == OpKind::ConvTranspose2d || kind == OpKind::Linear;
}

}  // namespace

void fold_batchnorm(Graph& graph) {
  const DeviceScope on_host({});
  const std::vector<int> producers = graph.producers(), uses = graph.uses();
  std::vector<bool> gone(graph.nodes.size(), false);
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const GraphNode& norm = graph.nodes[n];
    if (!folds(graph, norm)) continue;
    const int made_by = producers[size_t(norm.inputs[0])];
    if (made_by < 0 || uses[size_t(norm.inputs[0])] != 1) continue;
    GraphNode& node = graph.nodes[size_t(made_by)];
    if (!takes_scale(node) || !is_fusable(graph, node)) continue;
    const int bias = node.inputs[2];
    if (bias != kNoValue && !graph.values[size_t(bias)].is_constant()) continue;
    const Affine a = affine_of(graph, norm);
    const Tensor given = on_cpu(graph, bias), shift = Tensor::empty({int64_t(a.shift.size())});
    for (size_t c = 0; c < a.shift.size(); ++c) {
      const double b = given.defined() ? given.data<float>()[c] : 0;
      shift.data<float>()[c] = float(b * a.scale[c] + a.shift[c]);
    }
    const Device device = graph.values[size_t(node.inputs[1])].constant.device();
    const Tensor weight = scaled_weight(node, on_cpu(graph, node.inputs[1]), a);
    node.inputs[1] = graph.add_constant(weight.to(device));
    node.inputs[2] = graph.add_constant(shift.to(device));
    node.outputs[0] = norm.outputs[0];
    gone[n] = true;
  }
  size_t n = 0;
  std::erase_if(graph.nodes, [&](const GraphNode&) { return gone[n++]; });
}

}  // namespace limber
