// Plans of f16 and bf16: the casts that mixed precision would make as ops run, written down once.
// It comes behind the other passes, so batch norms are folded in f32 and the weights rounded last.
#include <map>
#include <utility>

#include "graph/passes/passes.h"
#include "tensor/autocast.h"
#include "tensor/ops/cast.h"

namespace limber {
namespace {

bool is_product(OpKind kind) {
  return kind == OpKind::ConvBiasAct || kind == OpKind::ConvTransposeBiasAct ||
         kind == OpKind::LinearBiasAct;
}

class Lowering {
 public:
  Lowering(Graph& graph, DType low) : graph_(graph), low_(low) {}

  void run() {
    std::vector<GraphNode> old = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (GraphNode& node : old) {
      const std::optional<DType> to = wanted(*node.op, node.inputs);
      for (int& v : node.inputs)
        if (to && casts(v)) v = as(v, *to);
      // A cast of the model's own says what it takes.
      if (node.op->kind() == OpKind::Cast)
        node.op = std::make_shared<CastOp>(type_of(node.inputs[0]),
                                           static_cast<const CastOp&>(*node.op).to);
      infer(node);
      graph_.nodes.push_back(std::move(node));
    }
    for (int& v : graph_.outputs)
      if (casts(v)) v = as(v, DType::f32);
  }

 private:
  DType type_of(int v) const { return graph_.values[size_t(v)].spec.dtype; }
  bool casts(int v) const {
    return v != kNoValue && is_float(type_of(v)) && type_of(v) != DType::f64;
  }

  std::optional<DType> wanted(const Op& op, const std::vector<int>& inputs) const {
    if (is_product(op.kind())) return low_;
    bool wide = false;
    for (int v : inputs) wide = wide || (casts(v) && type_of(v) == DType::f32);
    return autocast_type(op, low_, wide);
  }

  // The value in this type: once for all that read it so.
  int as(int v, DType to) {
    if (type_of(v) == to) return v;
    const auto found = made_.find({v, to});
    if (found != made_.end()) return found->second;
    const Value value = graph_.values[size_t(v)];
    int cast;
    if (value.is_constant()) {
      cast = graph_.add_constant(value.constant.to(to));
    } else {
      cast = graph_.add_value({value.spec.shape, to});
      graph_.nodes.push_back({std::make_shared<CastOp>(value.spec.dtype, to), {v}, {cast}});
    }
    made_[{v, to}] = cast;
    return cast;
  }

  // The types of a node's results, from operands without numbers: on the device, since 16 bits are
  // refused elsewhere.
  void infer(const GraphNode& node) {
    std::vector<Tensor> in;
    for (int v : node.inputs) {
      const Spec* spec = v == kNoValue ? nullptr : &graph_.values[size_t(v)].spec;
      in.push_back(spec == nullptr ? Tensor() : Tensor::empty(spec->shape, spec->dtype));
    }
    if (const Tensor view = node.op->view(in)) {
      graph_.values[size_t(node.outputs[0])].spec = {view.shape(), view.dtype()};
      return;
    }
    const std::vector<Spec> specs = node.op->infer(in);
    for (size_t i = 0; i < specs.size(); ++i)
      graph_.values[size_t(node.outputs[i])].spec = specs[i];
  }

  Graph& graph_;
  DType low_;
  std::map<std::pair<int, DType>, int> made_;
};

}  // namespace

void lower_precision(Graph& graph, DType low) {
  Lowering(graph, low).run();
  remove_dead(graph);
}

}  // namespace limber
