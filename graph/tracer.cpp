#include "graph/tracer.h"

#include <algorithm>
#include <cstring>

#include "graph/op_attributes.h"
#include "tensor/ops/norm.h"

namespace limber {

Tracer::Tracer(std::span<const Tensor> inputs) : outer_(std::exchange(current_recorder(), this)) {
  for (const Tensor& t : inputs) {
    graph_.inputs.push_back(graph_.add_value({t.shape(), t.dtype()}));
    remember_result(t, graph_.inputs.back());
  }
}

Tracer::~Tracer() { current_recorder() = outer_; }

void Tracer::remember_result(const Tensor& t, int value) {
  known_[t.id()] = {value, t};
  if (t.bytes() == 0) return;
  const auto* begin = static_cast<const std::byte*>(t.raw());
  const std::byte*& end = results_[begin];
  end = std::max(end, begin + t.bytes());
}

int Tracer::value_of(const Tensor& t, const char* reader) {
  if (!t.defined()) return kNoValue;
  if (const auto found = known_.find(t.id()); found != known_.end()) return found->second.value;
  const auto* at = static_cast<const std::byte*>(t.raw());
  const auto after = results_.upper_bound(at);
  const bool in_result = after != results_.begin() && at < std::prev(after)->second;
  check(!in_result || t.bytes() == 0, reader, " reads ", t.shape(),
        ", a view that no op made: this model cannot be traced");
  const int value = graph_.add_constant(t);
  known_[t.id()] = {value, t};
  return value;
}

int Tracer::add_result(const Tensor& t) {
  const int value = graph_.add_value({t.shape(), t.dtype()});
  remember_result(t, value);
  return value;
}

void Tracer::record(const std::shared_ptr<const Op>& op, std::span<const Tensor> inputs,
                    std::span<const Tensor> outputs) {
  check(op->kind() != OpKind::BatchNorm || !static_cast<const BatchNormOp&>(*op).training,
        "batch_norm in training mode cannot be traced: switch the model to evaluation first");
  GraphNode node{op, {}, {}};
  for (const Tensor& t : inputs) node.inputs.push_back(value_of(t, op->name()));
  for (const Tensor& t : outputs) node.outputs.push_back(add_result(t));
  graph_.nodes.push_back(std::move(node));
}

Graph Tracer::finish(const NamedTensors& outputs) {
  for (const auto& [name, tensor] : outputs) {
    graph_.outputs.push_back(value_of(tensor, "the result"));
    graph_.output_names.push_back(name);
  }
  return std::move(graph_);
}

namespace {

// Other numbers of the same shape: a generator of our own, so that a trace does not move the
// generators of the program.
Tensor other_numbers(const Tensor& t, uint64_t seed) {
  check(t.dtype() == DType::f32, "trace: inputs are f32, not ", t.dtype());
  const DeviceScope on_host({});
  Tensor other = Tensor::empty(t.shape());
  uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
  for (float& v : other.span<float>()) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    v = float(int32_t(state >> 32)) * 0x1p-31f;
  }
  return other.to(t.device());
}

bool same_numbers(const Tensor& a, const Tensor& b) {
  if (a.id() == b.id()) return true;
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
  return std::memcmp(a.to(Device{}).raw(), b.to(Device{}).raw(), a.bytes()) == 0;
}

void check_same(const Graph& a, const Graph& b) {
  const char* advice = ": the model's path depends on its input's numbers, it has no plan";
  for (size_t n = 0; n < std::min(a.nodes.size(), b.nodes.size()); ++n) {
    const GraphNode &x = a.nodes[n], &y = b.nodes[n];
    check(same_op(*x.op, *y.op) && x.inputs == y.inputs && x.outputs == y.outputs, "trace: op ", n,
          " is ", x.op->name(), " in one run and ", y.op->name(), " or another ", x.op->name(),
          " in the next", advice);
  }
  check(a.nodes.size() == b.nodes.size() && a.values.size() == b.values.size() &&
            a.outputs == b.outputs && a.output_names == b.output_names,
        "trace: ", a.nodes.size(), " ops in one run and ", b.nodes.size(), " in the next", advice);
  for (size_t v = 0; v < a.values.size(); ++v) {
    const Value &x = a.values[v], &y = b.values[v];
    check(x.spec.shape == y.spec.shape && x.spec.dtype == y.spec.dtype &&
              x.is_constant() == y.is_constant(),
          "trace: value ", v, " is ", x.spec.shape, " in one run and ", y.spec.shape,
          " in the next", advice);
    check(!x.is_constant() || same_numbers(x.constant, y.constant), "trace: ", x.spec.shape,
          " numbers that no op made differ between two runs", advice);
  }
}

}  // namespace

Graph trace(const Network& network, std::span<const Tensor> inputs, SecondRun* second) {
  const auto once = [&](std::span<const Tensor> in, NamedTensors* outputs) {
    Tracer tracer(in);
    NamedTensors out = network(in);
    Graph graph = tracer.finish(out);
    if (outputs != nullptr) *outputs = std::move(out);
    return graph;
  };
  const Graph graph = once(inputs, nullptr);
  SecondRun other;
  for (size_t i = 0; i < inputs.size(); ++i)
    other.inputs.push_back(other_numbers(inputs[i], i + 1));
  check_same(graph, once(other.inputs, &other.outputs));
  if (second != nullptr) *second = std::move(other);
  return graph;
}

}  // namespace limber
