// What the writing of single ops builds on: names, layouts, constants, nodes.
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/onnx/protobuf.h"

namespace limber {

// Attributes of an ONNX node.
class OnnxAttributes {
 public:
  OnnxAttributes& i(const char* name, int64_t value);
  OnnxAttributes& f(const char* name, double value);
  OnnxAttributes& s(const char* name, const std::string& value);
  OnnxAttributes& ints(const char* name, const std::vector<int64_t>& values);
  const std::vector<ProtoMessage>& all() const { return list_; }

 private:
  std::vector<ProtoMessage> list_;
};

// In which order of dimensions a value is written.
enum class Layout : uint8_t {
  own,             // as in the graph
  channels_first,  // (N, H, W, C) as N, C, H, W
};

class OnnxBuilder {
 public:
  explicit OnnxBuilder(const Graph& graph) : graph_(graph), names_(graph.values.size()) {}

  const Graph& graph() const { return graph_; }
  const Shape& shape(int value) const { return graph_.values[size_t(value)].spec.shape; }
  DType dtype(int value) const { return graph_.values[size_t(value)].spec.dtype; }
  bool is_constant(int value) const { return graph_.values[size_t(value)].is_constant(); }

  // The value's name in a layout; it is turned or, if constant, stored on first demand.
  std::string in(int value, Layout layout = Layout::own);
  // Whether it has been written in that layout.
  bool has(int value, Layout layout) const;
  // channels_first where the value has been written so and not otherwise.
  Layout layout_of(int value) const;
  // Declares that the value is written under this name.
  void set(int value, Layout layout, const std::string& name);

  // Adds a node with one result, named freshly.
  std::string node(const char* op, const std::vector<std::string>& inputs,
                   const OnnxAttributes& attributes = {});
  std::vector<std::string> nodes(const char* op, const std::vector<std::string>& inputs,
                                 size_t results, const OnnxAttributes& attributes = {});
  // A result of the model: the value `from` under the name `to`.
  void copy_as(const std::string& from, const std::string& to);
  // Constants that are no values of the graph.
  std::string number(double value);
  std::string integers(const std::vector<int64_t>& values);
  std::string constant(const Tensor& t);

  // The model: graph inputs and outputs declared, everything put together.
  std::string finish(const std::string& name, std::initializer_list<ProtoMessage> inputs,
                     const std::vector<ProtoMessage>& outputs);
  static ProtoMessage value_info(const std::string& name, DType dtype, const Shape& shape);
  std::string fresh() { return "t" + std::to_string(next_++); }

 private:
  const Graph& graph_;
  std::vector<std::map<Layout, std::string>> names_;
  std::vector<ProtoMessage> nodes_, initializers_;
  int next_ = 0;
};

// (N, H, W, C) -> N, C, H, W.
Shape channels_first(const Shape& shape);
Tensor channels_first(const Tensor& t);

// Writes one node of the graph; defined in onnx_ops.cpp.
void write_onnx_node(OnnxBuilder& b, const GraphNode& node);

}  // namespace limber
