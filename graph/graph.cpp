#include "graph/graph.h"

#include <algorithm>

#include "tensor/ops/shape.h"

namespace limber {

int Graph::add_value(const Spec& spec) {
  values.push_back({spec});
  return int(values.size()) - 1;
}

int Graph::add_constant(const Tensor& value) {
  values.push_back({{value.shape(), value.dtype()}, value, {}});
  return int(values.size()) - 1;
}

std::vector<int> Graph::producers() const {
  std::vector<int> made_by(values.size(), -1);
  for (size_t n = 0; n < nodes.size(); ++n)
    for (int v : nodes[n].outputs)
      if (v != kNoValue) made_by[size_t(v)] = int(n);
  return made_by;
}

std::vector<int> Graph::uses() const {
  std::vector<int> count(values.size(), 0);
  for (const GraphNode& node : nodes)
    for (int v : node.inputs)
      if (v != kNoValue) ++count[size_t(v)];
  for (int v : outputs) ++count[size_t(v)];
  return count;
}

void Graph::replace_uses(int from, int to) {
  for (GraphNode& node : nodes) std::ranges::replace(node.inputs, from, to);
  std::ranges::replace(outputs, from, to);
}

int64_t view_offset(const Op& op, const Spec& input) {
  if (op.kind() == OpKind::Reshape) return 0;
  if (op.kind() != OpKind::Slice) return -1;
  const auto& slice = static_cast<const SliceOp&>(op);
  if (slice.step != 1 || slice.from.outer(slice.dim) != 1) return -1;
  if (slice.count == 0) return 0;
  return slice.begin * slice.from.inner(slice.dim) * int64_t(size_of(input.dtype));
}

}  // namespace limber
