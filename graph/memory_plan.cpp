#include "graph/memory_plan.h"

#include <algorithm>
#include <numeric>

namespace limber {
namespace {

int64_t aligned(int64_t bytes) {
  return (bytes + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment;
}

int64_t bytes_of(const Spec& spec) { return spec.shape.numel() * int64_t(size_of(spec.dtype)); }

// Inputs that the node may write its first result over, element by element.
std::vector<size_t> overwritable(OpKind kind) {
  switch (kind) {
    case OpKind::Unary:
    case OpKind::BatchNorm:
    case OpKind::PRelu:
      return {0};
    case OpKind::Binary:
      return {0, 1};
    case OpKind::ConvBiasAct:
    case OpKind::ConvTransposeBiasAct:
    case OpKind::LinearBiasAct:
      return {3};
    default:
      return {};
  }
}

// Values grouped by the memory they share.
class Groups {
 public:
  explicit Groups(const Graph& graph)
      : graph_(graph),
        root_(graph.values.size(), kNoValue),
        offset_(graph.values.size(), 0),
        last_use_(graph.values.size(), -1),
        group_last_(graph.values.size(), -1),
        born_(graph.values.size(), 0) {
    const int steps = int(graph.nodes.size());
    for (int n = 0; n < steps; ++n)
      for (int v : graph.nodes[size_t(n)].inputs)
        if (v != kNoValue) last_use_[size_t(v)] = n;
    for (int v : graph.inputs) last_use_[size_t(v)] = steps;
    for (int v : graph.outputs) last_use_[size_t(v)] = steps;
    for (int v : graph.inputs) begin(v, -1);
    for (int n = 0; n < steps; ++n) add_node(n);
  }

  MemoryPlan plan() const {
    std::vector<Lifetime> lives;
    std::vector<int> of_root(graph_.values.size(), -1);
    for (size_t v = 0; v < graph_.values.size(); ++v) {
      if (root_[v] != int(v) || !in_arena(v)) continue;
      of_root[v] = int(lives.size());
      lives.push_back({bytes_of(graph_.values[v].spec), born_[v], group_last_[v]});
    }
    const Placement placed = place(lives);
    MemoryPlan plan;
    plan.bytes = placed.bytes;
    plan.in_place = in_place_;
    for (size_t v = 0; v < graph_.values.size(); ++v)
      plan.offsets.push_back(root_[v] == kNoValue || !in_arena(size_t(root_[v]))
                                 ? -1
                                 : placed.offsets[size_t(of_root[size_t(root_[v])])] + offset_[v]);
    return plan;
  }

 private:
  bool in_arena(size_t v) const { return graph_.values[v].spec.dtype == DType::f32; }
  void begin(int v, int step) {
    root_[size_t(v)] = v;
    born_[size_t(v)] = step;
    group_last_[size_t(v)] = std::max(last_use_[size_t(v)], step);
  }
  void join(int v, int root, int64_t offset) {
    root_[size_t(v)] = root;
    offset_[size_t(v)] = offset;
    if (root != kNoValue)
      group_last_[size_t(root)] = std::max(group_last_[size_t(root)], last_use_[size_t(v)]);
  }

  // The input whose memory the node may take over for its first result, or kNoValue.
  int taken_over(int n) const {
    const GraphNode& node = graph_.nodes[size_t(n)];
    const Spec& result = graph_.values[size_t(node.outputs[0])].spec;
    for (size_t i : overwritable(node.op->kind())) {
      const int v = node.inputs[i];
      if (v == kNoValue) continue;
      const Spec& spec = graph_.values[size_t(v)].spec;
      const int root = root_[size_t(v)];
      if (root == kNoValue || group_last_[size_t(root)] != n) continue;
      if (spec.shape != result.shape || spec.dtype != result.dtype) continue;
      if (bytes_of(graph_.values[size_t(root)].spec) != bytes_of(spec)) continue;
      // A sum in an epilogue writes while the product still reads its own input.
      const bool by_element = node.op->kind() == OpKind::Binary;
      bool alone = true;
      for (size_t k = 0; k < node.inputs.size(); ++k) {
        const int other = node.inputs[k];
        if (k == i || other == kNoValue || (by_element && other == v)) continue;
        alone = alone && root_[size_t(other)] != root;
      }
      if (alone) return v;
    }
    return kNoValue;
  }

  void add_node(int n) {
    const GraphNode& node = graph_.nodes[size_t(n)];
    const int x = node.inputs.empty() ? kNoValue : node.inputs[0];
    const int64_t view = x == kNoValue ? -1 : view_offset(*node.op, graph_.values[size_t(x)].spec);
    if (view >= 0) return join(node.outputs[0], root_[size_t(x)], offset_[size_t(x)] + view);
    const int over = taken_over(n);
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (i == 0 && over != kNoValue) {
        join(node.outputs[0], root_[size_t(over)], 0);
        ++in_place_;
      } else {
        begin(node.outputs[i], n);
      }
    }
  }

  const Graph& graph_;
  std::vector<int> root_;
  std::vector<int64_t> offset_;  // in the root, bytes
  std::vector<int> last_use_, group_last_, born_;
  int in_place_ = 0;
};

}  // namespace

Placement place(std::span<const Lifetime> lifetimes) {
  std::vector<size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(
      order, [&](size_t a, size_t b) { return lifetimes[a].bytes > lifetimes[b].bytes; });
  Placement placement;
  placement.offsets.assign(lifetimes.size(), 0);
  std::vector<size_t> placed;  // by ascending offset
  for (size_t i : order) {
    const Lifetime& life = lifetimes[i];
    int64_t at = 0;
    for (size_t j : placed) {
      const Lifetime& other = lifetimes[j];
      if (other.last < life.first || life.last < other.first) continue;
      if (placement.offsets[j] - at >= aligned(life.bytes)) break;
      at = std::max(at, placement.offsets[j] + aligned(other.bytes));
    }
    placement.offsets[i] = at;
    placement.bytes = std::max(placement.bytes, at + aligned(life.bytes));
    const auto where =
        std::ranges::upper_bound(placed, at, {}, [&](size_t j) { return placement.offsets[j]; });
    placed.insert(where, i);
  }
  return placement;
}

MemoryPlan plan_memory(const Graph& graph) { return Groups(graph).plan(); }

}  // namespace limber
