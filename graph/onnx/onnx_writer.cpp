#include "graph/onnx/onnx_writer.h"

#include "graph/onnx/onnx_builder.h"
#include "tensor/ops.h"

namespace limber {
namespace {

// TensorProto's numbers of element types.
int64_t element_type(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return 1;
    case DType::u8:
      return 2;
    case DType::i32:
      return 6;
    case DType::i64:
      return 7;
    case DType::boolean:
      return 9;
    case DType::f64:
      return 11;
    default:
      fail("onnx: no values of type ", dtype);
  }
}

}  // namespace

OnnxAttributes& OnnxAttributes::i(const char* name, int64_t value) {
  list_.push_back(ProtoMessage().bytes(1, name).number(3, value).number(20, 2));
  return *this;
}

OnnxAttributes& OnnxAttributes::f(const char* name, double value) {
  list_.push_back(ProtoMessage().bytes(1, name).real(2, float(value)).number(20, 1));
  return *this;
}

OnnxAttributes& OnnxAttributes::s(const char* name, const std::string& value) {
  list_.push_back(ProtoMessage().bytes(1, name).bytes(4, value).number(20, 3));
  return *this;
}

OnnxAttributes& OnnxAttributes::ints(const char* name, const std::vector<int64_t>& values) {
  ProtoMessage attribute;
  attribute.bytes(1, name);
  for (int64_t v : values) attribute.number(8, v);
  list_.push_back(attribute.number(20, 7));
  return *this;
}

Shape channels_first(const Shape& s) { return {s[0], s[3], s[1], s[2]}; }

Tensor channels_first(const Tensor& t) {
  const NoRecord no_record;
  return permute(t, {0, 3, 1, 2});
}

bool OnnxBuilder::has(int value, Layout layout) const {
  return names_[size_t(value)].contains(layout);
}

Layout OnnxBuilder::layout_of(int value) const {
  const bool first = has(value, Layout::channels_first) && !has(value, Layout::own);
  return first ? Layout::channels_first : Layout::own;
}

void OnnxBuilder::set(int value, Layout layout, const std::string& name) {
  names_[size_t(value)][layout] = name;
}

std::string OnnxBuilder::in(int value, Layout layout) {
  if (value == kNoValue) return "";
  auto& names = names_[size_t(value)];
  if (const auto found = names.find(layout); found != names.end()) return found->second;
  std::string name;
  const bool first = layout == Layout::channels_first;
  check(!first || shape(value).rank() == 4, "onnx: ", shape(value), " has no channels first");
  if (is_constant(value)) {
    const Tensor& t = graph_.values[size_t(value)].constant;
    name = constant(first ? channels_first(t) : t);
  } else {
    check(!names.empty(), "onnx: value ", value, " is read before it is written");
    name = node("Transpose", {names.begin()->second},
                OnnxAttributes().ints("perm", first ? std::vector<int64_t>{0, 3, 1, 2}
                                                    : std::vector<int64_t>{0, 2, 3, 1}));
  }
  names[layout] = name;
  return name;
}

std::vector<std::string> OnnxBuilder::nodes(const char* op, const std::vector<std::string>& inputs,
                                            size_t results, const OnnxAttributes& attributes) {
  ProtoMessage message;
  for (const std::string& name : inputs) message.bytes(1, name);
  std::vector<std::string> outputs;
  for (size_t r = 0; r < results; ++r) {
    outputs.push_back(fresh());
    message.bytes(2, outputs.back());
  }
  message.bytes(3, outputs[0] + "_" + op).bytes(4, op);
  for (const ProtoMessage& attribute : attributes.all()) message.message(5, attribute);
  nodes_.push_back(message);
  return outputs;
}

std::string OnnxBuilder::node(const char* op, const std::vector<std::string>& inputs,
                              const OnnxAttributes& attributes) {
  return nodes(op, inputs, 1, attributes)[0];
}

void OnnxBuilder::copy_as(const std::string& from, const std::string& to) {
  nodes_.push_back(
      ProtoMessage().bytes(1, from).bytes(2, to).bytes(3, to + "_Identity").bytes(4, "Identity"));
}

std::string OnnxBuilder::constant(const Tensor& t) {
  const std::string name = "c" + std::to_string(next_++);
  ProtoMessage message;
  for (int64_t d : t.shape().dims()) message.number(1, d);
  message.number(2, element_type(t.dtype())).bytes(8, name);
  message.bytes(9, {static_cast<const char*>(t.raw()), t.bytes()});
  initializers_.push_back(message);
  return name;
}

std::string OnnxBuilder::number(double value) { return constant(Tensor::full({}, value)); }

std::string OnnxBuilder::integers(const std::vector<int64_t>& values) {
  return constant(Tensor::from(values, {int64_t(values.size())}));
}

ProtoMessage OnnxBuilder::value_info(const std::string& name, DType dtype, const Shape& shape) {
  ProtoMessage dims;
  for (int64_t d : shape.dims()) dims.message(1, ProtoMessage().number(1, d));
  const ProtoMessage tensor = ProtoMessage().number(1, element_type(dtype)).message(2, dims);
  return ProtoMessage().bytes(1, name).message(2, ProtoMessage().message(1, tensor));
}

std::string OnnxBuilder::finish(const std::string& name, std::initializer_list<ProtoMessage> inputs,
                                const std::vector<ProtoMessage>& outputs) {
  ProtoMessage graph;
  for (const ProtoMessage& n : nodes_) graph.message(1, n);
  graph.bytes(2, name);
  for (const ProtoMessage& t : initializers_) graph.message(5, t);
  for (const ProtoMessage& v : inputs) graph.message(11, v);
  for (const ProtoMessage& v : outputs) graph.message(12, v);
  constexpr int64_t kIrVersion = 8, kOpset = 17;
  return ProtoMessage()
      .number(1, kIrVersion)
      .bytes(2, "limber")
      .bytes(3, LIMBER_VERSION)
      .message(7, graph)
      .message(8, ProtoMessage().bytes(1, "").number(2, kOpset))
      .encoded();
}

std::string onnx_model(const Graph& graph, const std::string& name) {
  check(graph.inputs.size() == 1, "onnx: ", graph.inputs.size(), " inputs, one expected");
  OnnxBuilder b(graph);
  const int input = graph.inputs[0];
  const bool image = b.shape(input).rank() == 4;
  b.set(input, image ? Layout::channels_first : Layout::own, "input");
  for (const GraphNode& node : graph.nodes) write_onnx_node(b, node);
  std::vector<ProtoMessage> outputs;
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const int v = graph.outputs[i];
    const Layout layout = b.layout_of(v);
    const std::string wanted = "output" + (graph.outputs.size() == 1 ? "" : std::to_string(i));
    const std::string from = b.in(v, layout);
    const Shape shape = layout == Layout::channels_first ? channels_first(b.shape(v)) : b.shape(v);
    b.copy_as(from, wanted);
    outputs.push_back(OnnxBuilder::value_info(wanted, b.dtype(v), shape));
  }
  const Shape shape = image ? channels_first(b.shape(input)) : b.shape(input);
  return b.finish(name, {OnnxBuilder::value_info("input", b.dtype(input), shape)}, outputs);
}

}  // namespace limber
