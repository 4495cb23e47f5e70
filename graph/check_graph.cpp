// Whether a graph that came from outside can run: order, shapes, attributes. The fronts of the ops
// check this for models; a file has no fronts.
#include <algorithm>
#include <map>

#include "graph/graph_file.h"
#include "graph/op_attributes.h"
#include "tensor/ops/elementwise.h"
#include "tensor/ops/fused.h"
#include "tensor/ops/index.h"
#include "tensor/ops/norm.h"
#include "tensor/ops/pool.h"
#include "tensor/ops/reduce.h"
#include "tensor/ops/resize.h"
#include "tensor/ops/shape.h"

namespace limber {
namespace {

struct OperandCount {
  size_t inputs, required, outputs;  // the first `required` inputs must be there
};

// Of ops with a fixed number of them; concatenations and splits are checked by themselves.
OperandCount count_of(OpKind kind) {
  switch (kind) {
    case OpKind::Binary:
    case OpKind::Gather:
    case OpKind::MatMul:
    case OpKind::PRelu:
      return {2, 2, 1};
    case OpKind::ScaleNorm:
      return {2, 2, 2};
    case OpKind::Where:
    case OpKind::MultiScaleDeformAttn:
      return {3, 3, 1};
    case OpKind::Extreme:
    case OpKind::TopK:
      return {1, 1, 2};
    case OpKind::DeformConv2d:
      return {4, 3, 1};
    case OpKind::Attention:
      return {4, 3, 2};
    case OpKind::Conv2d:
    case OpKind::ConvTranspose2d:
    case OpKind::Linear:
      return {3, 2, 1};
    case OpKind::BatchNorm:
      return {5, 1, 3};
    case OpKind::GroupNorm:
    case OpKind::LayerNorm:
      return {3, 1, 3};
    case OpKind::ConvBiasAct:
    case OpKind::ConvTransposeBiasAct:
    case OpKind::LinearBiasAct:
      return {4, 2, 1};
    default:
      return {1, 1, 1};
  }
}

bool axis_fits(int dim, const Shape& shape) { return dim >= 0 && dim < shape.rank(); }

// Attributes that stand for a shape must be that shape, and so on: what infer() takes on trust.
bool attributes_fit(const Op& op, std::span<const Tensor> in) {
  const Shape& x = in[0].shape();
  switch (op.kind()) {
    case OpKind::Unary:
      return static_cast<const UnaryOp&>(op).args.f <= kernels::Unary::is_positive;
    case OpKind::Binary:
      return static_cast<const BinaryOp&>(op).f <= kernels::Binary::equal;
    case OpKind::Reshape: {
      const auto& o = static_cast<const ReshapeOp&>(op);
      return o.from == x && o.to.numel() == x.numel();
    }
    case OpKind::Permute: {
      unsigned seen = 0;
      for (int d = 0; d < x.rank(); ++d) {
        const int from = static_cast<const PermuteOp&>(op).dims[size_t(d)];
        if (!axis_fits(from, x)) return false;
        seen |= 1u << from;
      }
      return seen == (1u << x.rank()) - 1;
    }
    case OpKind::Expand: {
      const auto& o = static_cast<const ExpandOp&>(op);
      return o.from == x && broadcast(o.from, o.to, "expand") == o.to;
    }
    case OpKind::Slice: {
      const auto& o = static_cast<const SliceOp&>(op);
      if (o.from != x || !axis_fits(o.dim, x) || o.step == 0 || o.count < 0) return false;
      const int64_t n = x[o.dim], last = o.count == 0 ? o.begin : o.begin + (o.count - 1) * o.step;
      const bool small = o.count <= n && std::abs(o.step) <= std::max<int64_t>(n, 1);
      return small && (o.count == 0 || (o.begin >= 0 && o.begin < n && last >= 0 && last < n));
    }
    case OpKind::Concat: {
      const auto& o = static_cast<const ConcatOp&>(op);
      if (!axis_fits(o.dim, x) || o.extents.size() != in.size()) return false;
      for (size_t i = 0; i < in.size(); ++i) {
        const Shape& part = in[i].shape();
        if (part.rank() != x.rank() || part.with(o.dim, x[o.dim]) != x ||
            part[o.dim] != o.extents[i] || in[i].dtype() != in[0].dtype())
          return false;
      }
      return true;
    }
    case OpKind::Split: {
      const auto& o = static_cast<const SplitOp&>(op);
      if (o.from != x || !axis_fits(o.dim, x)) return false;
      int64_t total = 0;
      for (int64_t extent : o.extents) {
        if (extent < 0 || extent > x[o.dim]) return false;
        total += extent;
      }
      return total == x[o.dim];
    }
    case OpKind::Gather: {
      const auto& o = static_cast<const GatherOp&>(op);
      return o.from == x && axis_fits(o.dim, x) && in[1].dtype() == DType::i64;
    }
    case OpKind::Extreme: {
      const auto& o = static_cast<const ExtremeOp&>(op);
      return o.from == x && axis_fits(o.dim, x) && x[o.dim] > 0;
    }
    case OpKind::TopK: {
      const auto& o = static_cast<const TopKOp&>(op);
      return o.from == x && x.rank() > 0 && o.k >= 0 && o.k <= x[-1];
    }
    case OpKind::Sum: {
      const auto& o = static_cast<const SumOp&>(op);
      return o.from == x && 0 <= o.first && o.first <= o.last && o.last <= x.rank();
    }
    case OpKind::BatchNorm:
      return !static_cast<const BatchNormOp&>(op).training;
    case OpKind::Resize: {
      const auto& s = static_cast<const ResizeOp&>(op).shape;
      return x.rank() == 4 && Shape{s.N, s.H, s.W, s.C} == x && s.h >= 0 && s.w >= 0 &&
             s.filter <= kernels::Filter::cubic && (x.numel() > 0 || s.h * s.w == 0);
    }
    case OpKind::MaxPool2d:
    case OpKind::AvgPool2d: {
      const bool most = op.kind() == OpKind::MaxPool2d;
      const auto& rows = most ? static_cast<const MaxPool2dOp&>(op).rows
                              : static_cast<const AvgPool2dOp&>(op).rows;
      const auto& columns = most ? static_cast<const MaxPool2dOp&>(op).columns
                                 : static_cast<const AvgPool2dOp&>(op).columns;
      const auto fits = [](const kernels::WindowAxis& a, int64_t extent) {
        if (a.in != extent || a.out < 0 || a.out > extent + 2 * (1 << 16)) return false;
        if (a.adaptive) return extent > 0;
        const bool sane = a.stride > 0 && a.kernel > 0 && a.padding >= 0 && a.stride < (1 << 16) &&
                          a.kernel < (1 << 16) && a.padding < (1 << 16);
        if (!sane) return false;
        for (int64_t i = 0; i < a.out; ++i) {
          const kernels::Window w = a.at(i);
          if (w.begin < 0 || w.end > extent || w.begin >= w.end) return false;
        }
        return true;
      };
      return x.rank() == 4 && fits(rows, x[1]) && fits(columns, x[2]);
    }
    default:
      return true;
  }
}

// Positions that are data must lie inside; those that an op computes are not checked here, so only
// constants are taken.
bool positions_fit(const GatherOp& op, const Value& index) {
  if (!index.is_constant()) return false;
  const int64_t n = op.from[op.dim];
  return std::ranges::all_of(index.constant.span<const int64_t>(),
                             [&](int64_t i) { return i >= 0 && i < n; });
}

// No activation of a network that fits a machine comes near; a damaged extent soon does.
constexpr int64_t kMostElements = int64_t(1) << 28;

class Checker {
 public:
  Checker(const Graph& graph, const std::string& what) : graph_(graph), what_(what) {
    // One piece of memory stands for all values: shapes are looked at here, never numbers.
    std::map<DType, int64_t> most;
    for (const Value& value : graph.values)
      most[value.spec.dtype] = std::max(most[value.spec.dtype], value.spec.shape.numel());
    std::map<DType, Tensor> memory;
    for (const auto& [dtype, numel] : most) {
      check_input(numel <= kMostElements, what, ": a value of ", numel, " elements");
      memory[dtype] = Tensor::empty({numel}, dtype);
    }
    for (const Value& value : graph.values) {
      const bool as_it_is = value.is_constant() && !value.is_narrow();
      shaped_.push_back(as_it_is ? value.constant
                                 : memory[value.spec.dtype].alias(value.spec.shape));
      known_.push_back(value.is_constant());
    }
  }

  void run() {
    for (int v : graph_.inputs) define(v, "the inputs");
    for (size_t n = 0; n < graph_.nodes.size(); ++n) check_node(n);
    for (int v : graph_.outputs)
      check_input(known_[size_t(v)], what_, ": output ", v, " is never computed");
  }

 private:
  void define(int v, const std::string& where) {
    check_input(!known_[size_t(v)], what_, ": value ", v, " is set twice, last by ", where);
    known_[size_t(v)] = true;
  }

  void check_node(size_t n) {
    const GraphNode& node = graph_.nodes[n];
    const std::string where = str("op ", n, " (", node.op->name(), ")");
    std::vector<Tensor> in;
    for (int v : node.inputs) {
      check_input(v == kNoValue || known_[size_t(v)], what_, ": ", where, " reads value ", v,
                  " before it is computed");
      in.push_back(v == kNoValue ? Tensor() : shaped_[size_t(v)]);
    }
    const OpKind kind = node.op->kind();
    const OperandCount count = count_of(kind);
    const bool inputs_fit = kind == OpKind::Concat ? !in.empty() : in.size() == count.inputs;
    const size_t required = kind == OpKind::Concat ? in.size() : count.required;
    const bool there = inputs_fit && std::all_of(in.begin(), in.begin() + long(required),
                                                 [](const Tensor& t) { return t.defined(); });
    check_input(there, what_, ": ", where, ": operands are missing or too many");
    std::vector<Spec> results;
    try {
      check(attributes_fit(*node.op, in), "attributes do not fit the operands");
      check(kind != OpKind::Gather || positions_fit(static_cast<const GatherOp&>(*node.op),
                                                    graph_.values[size_t(node.inputs[1])]),
            "positions outside of the operand");
      check_packed(*node.op);
      results = infer(*node.op, in);
    } catch (const Error& error) {
      fail_input(what_, ": ", where, ": ", error.what());
    }
    check_input(results.size() == node.outputs.size(), what_, ": ", where, ": ",
                node.outputs.size(), " results, ", results.size(), " expected");
    for (size_t i = 0; i < results.size(); ++i) {
      const Spec& spec = graph_.values[size_t(node.outputs[i])].spec;
      check_input(spec.shape == results[i].shape && spec.dtype == results[i].dtype, what_, ": ",
                  where, ": result ", spec.shape, ", ", results[i].shape, " expected");
      define(node.outputs[i], where);
    }
  }

  // Packed weights fit one machine; files do not hold them.
  static void check_packed(const Op& op) {
    bool packed = false;
    if (op.kind() == OpKind::ConvBiasAct)
      packed = static_cast<const ConvBiasActOp&>(op).tail.packed;
    if (op.kind() == OpKind::ConvTransposeBiasAct)
      packed = static_cast<const ConvTransposeBiasActOp&>(op).tail.packed;
    if (op.kind() == OpKind::LinearBiasAct)
      packed = static_cast<const LinearBiasActOp&>(op).tail.packed;
    check(!packed, "packed weights");
  }

  static std::vector<Spec> infer(const Op& op, std::span<const Tensor> in) {
    if (op.kind() == OpKind::Reshape)
      return {{static_cast<const ReshapeOp&>(op).to, in[0].dtype()}};
    return op.infer(in);
  }

  const Graph& graph_;
  const std::string& what_;
  std::vector<Tensor> shaped_;
  std::vector<bool> known_;
};

}  // namespace

void check_graph(const Graph& graph, const std::string& what) { Checker(graph, what).run(); }

}  // namespace limber
