#include "graph/graph_file.h"

#include <algorithm>

#include "graph/op_attributes.h"

namespace limber {

int ConstantPool::add(const Tensor& t) {
  const auto same = [&](const Tensor& other) {
    return other.raw() == t.raw() && other.shape() == t.shape() && other.dtype() == t.dtype();
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

}  // namespace

Graph read_graph(ByteReader& in, std::span<const Tensor> constants) {
  Graph graph;
  const size_t values = in.count(6);
  for (size_t v = 0; v < values; ++v) {
    Value value;
    const uint8_t dtype = in.get<uint8_t>();
    if (dtype > uint8_t(DType::boolean)) in.fail_here(str("element type ", int(dtype)));
    value.spec = {in.shape(), DType(dtype)};
    const int32_t constant = in.get<int32_t>();
    if (constant < -1 || constant >= int32_t(constants.size()))
      in.fail_here(str("constant ", constant));
    if (constant >= 0) {
      value.constant = constants[size_t(constant)];
      if (value.constant.shape() != value.spec.shape || value.constant.dtype() != value.spec.dtype)
        in.fail_here(str("a constant of shape ", value.constant.shape(), " as ", value.spec.shape));
    }
    graph.values.push_back(std::move(value));
  }
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
  return graph;
}

}  // namespace limber
