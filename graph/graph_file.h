// Graphs in files: their records, and the check that what was read is a graph that can run.
#pragma once

#include <map>

#include "graph/bytes.h"
#include "graph/graph.h"

namespace limber {

// Constants of all graphs of a file, each once.
class ConstantPool {
 public:
  int add(const Tensor& t);
  const std::vector<Tensor>& all() const { return tensors_; }

 private:
  std::vector<Tensor> tensors_;
};

void write_graph(ByteWriter& out, const Graph& graph, ConstantPool& pool);

// Narrow constants that became f32, by where they lay: shared by the graphs of a file.
using WidenedConstants = std::map<const void*, Tensor>;

// Throws InputError unless every number is in range and every op fits its operands: what passes
// here computes inside its tensors. Narrow stay the weights that pack_weights() takes; others
// become f32. Graphs of version 1 of the format (infer/model_file.h) know no steps and ranges.
Graph read_graph(ByteReader& in, std::span<const Tensor> constants, WidenedConstants& wide,
                 uint32_t version);

// Throws InputError, naming the node, where a node's op does not fit its values.
void check_graph(const Graph& graph, const std::string& what);

}  // namespace limber
