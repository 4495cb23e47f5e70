#include "graph/graph_file.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "graph/op_attributes.h"
#include "graph/passes/passes.h"

namespace limber {

int ConstantPool::add(const Tensor& t) {
  const auto same = [&](const Tensor& other) {
    return other.shape() == t.shape() && other.dtype() == t.dtype() &&
           (other.raw() == t.raw() || std::memcmp(other.raw(), t.raw(), t.bytes()) == 0);
  };
  const auto found = std::ranges::find_if(tensors_, same);
  if (found == tensors_.end()) {
    tensors_.push_back(t);
    return int(tensors_.size()) - 1;
  }
  return int(found - tensors_.begin());
}

void write_graph(ByteWriter& out, const Graph& graph, ConstantPool& pool) {
  out.put(uint32_t(graph.values.size()));
  for (const Value& value : graph.values) {
    out.put(uint8_t(value.spec.dtype));
    out.put(value.spec.shape);
    out.put(int32_t(value.is_constant() ? pool.add(value.constant) : -1));
    out.put(int32_t(value.steps.defined() ? pool.add(value.steps) : -1));
    out.put(value.low);
    out.put(value.high);
  }
  out.put(uint32_t(graph.nodes.size()));
  for (const GraphNode& node : graph.nodes) {
    out.put(std::string(node.op->name()));  // by name: numbers move when the table of ops grows
    out.put(std::span<const uint8_t>(attribute_bytes(*node.op)));
    out.put(node.inputs);
    out.put(node.outputs);
  }
  out.put(graph.inputs);
  out.put(graph.outputs);
  for (const std::string& name : graph.output_names) out.put(name);
}

namespace {

OpKind kind_named(const std::string& name, const ByteReader& in) {
#define LIMBER_OP(op, ...) \
  if (name == #op) return OpKind::op;
#include "tensor/ops.def"
#undef LIMBER_OP
  in.fail_here("an op \"" + name + "\" that this version does not know");
}

Tensor constant_at(ByteReader& in, std::span<const Tensor> constants) {
  const int32_t constant = in.get<int32_t>();
  if (constant < -1 || constant >= int32_t(constants.size()))
    in.fail_here(str("constant ", constant));
  return constant < 0 ? Tensor() : constants[size_t(constant)];
}

// One step for each filter of a weight of this shape: extents of 1 but for the first or the last.
bool steps_fit(const Tensor& steps, const Shape& weight) {
  const Shape& s = steps.shape();
  if (steps.dtype() != DType::f32 || s.rank() != weight.rank() || s.rank() < 1) return false;
  const bool first = s[0] == weight[0] && s.numel() == weight[0];
  const bool last = s[-1] == weight[-1] && s.numel() == weight[-1];
  return (first || last) && std::ranges::all_of(steps.span<const float>(), [](float step) {
           return step >= 0 && step <= 1e30f;
         });
}

// Constants may be narrower than what they stand for, as Value::constant says.
bool stands_for(const Value& value) {
  if (value.constant.shape() != value.spec.shape) return false;
  const DType held = value.constant.dtype();
  if (held == DType::u8 && value.spec.dtype == DType::f32)
    return value.steps.defined() && steps_fit(value.steps, value.spec.shape);
  const bool half = held == DType::bf16 || held == DType::f16;
  return !value.steps.defined() &&
         (held == value.spec.dtype || (half && value.spec.dtype == DType::f32));
}

Value read_value(ByteReader& in, std::span<const Tensor> constants, uint32_t version) {
  Value value;
  const uint8_t dtype = in.get<uint8_t>();
  if (dtype > uint8_t(DType::boolean)) in.fail_here(str("element type ", int(dtype)));
  value.spec = {in.shape(), DType(dtype)};
  value.constant = constant_at(in, constants);
  if (version >= 2) {
    value.steps = constant_at(in, constants);
    value.low = in.get<float>();
    value.high = in.get<float>();
    const bool sane = std::isfinite(value.low) && std::isfinite(value.high) && value.low <= 0 &&
                      value.high >= 0 && std::isfinite(255 / (value.high - value.low));
    if (!sane && (value.low != 0 || value.high != 0))
      in.fail_here(str("the range ", value.low, " to ", value.high));
  }
  if (value.is_constant() ? !stands_for(value) : value.steps.defined())
    in.fail_here(str("a constant that does not stand for ", value.spec.shape));
  return value;
}

void widen_operands(Graph& graph, WidenedConstants& wide) {
  std::vector<bool> packs(graph.values.size(), true);
  for (const GraphNode& node : graph.nodes)
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (node.inputs[i] != kNoValue && !(i == 1 && is_fusable(graph, node)))
        packs[size_t(node.inputs[i])] = false;
  for (int v : graph.outputs) packs[size_t(v)] = false;
  for (size_t v = 0; v < graph.values.size(); ++v) {
    Value& value = graph.values[v];
    if (!value.is_narrow() || packs[v]) continue;
    Tensor& one = wide[value.constant.raw()];
    if (!one.defined()) one = widened_weight(value, {});
    value.constant = one;
    value.steps = {};
  }
}

}  // namespace

Graph read_graph(ByteReader& in, std::span<const Tensor> constants, WidenedConstants& wide,
                 uint32_t version) {
  Graph graph;
  const size_t values = in.count(6);
  for (size_t v = 0; v < values; ++v) graph.values.push_back(read_value(in, constants, version));
  const size_t nodes = in.count(16);
  for (size_t n = 0; n < nodes; ++n) {
    GraphNode node;
    const OpKind kind = kind_named(in.text(), in);
    if (kind == OpKind::Dropout) in.fail_here("an op of training");
    node.op = op_from_bytes(kind, in.blob());
    node.inputs = in.list(kNoValue, int(values));
    node.outputs = in.list(0, int(values));
    graph.nodes.push_back(std::move(node));
  }
  graph.inputs = in.list(0, int(values));
  graph.outputs = in.list(0, int(values));
  for (size_t i = 0; i < graph.outputs.size(); ++i) graph.output_names.push_back(in.text());
  check_graph(graph, str("graph of ", nodes, " ops"));
  widen_operands(graph, wide);
  return graph;
}

}  // namespace limber
