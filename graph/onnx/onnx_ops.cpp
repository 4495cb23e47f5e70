// The counterpart of each op in ONNX's opset 17.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "graph/onnx/onnx_builder.h"
#include "tensor/ops.h"
#include "tensor/ops/attention.h"
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

constexpr Layout kFirst = Layout::channels_first, kOwn = Layout::own;
using Attributes = OnnxAttributes;

// ---- element-wise

std::string as_number(OnnxBuilder& b, const std::string& boolean) {
  return b.node("Cast", {boolean}, Attributes().i("to", 1));
}

std::string write_unary(OnnxBuilder& b, const std::string& x, const kernels::UnaryArgs& args) {
  using kernels::Unary;
  const double p = args.a, q = args.b;
  const auto simple = [&](const char* op) { return b.node(op, {x}); };
  const auto with = [&](const char* op, const std::string& y) { return b.node(op, {x, y}); };
  switch (args.f) {
    case Unary::relu:
      return simple("Relu");
    case Unary::relu6:
      return b.node("Clip", {x, b.number(0), b.number(6)});
    case Unary::exp:
      return simple("Exp");
    case Unary::sqrt:
      return simple("Sqrt");
    case Unary::sigmoid:
      return simple("Sigmoid");
    case Unary::tanh:
      return simple("Tanh");
    case Unary::leaky_relu:
      return b.node("LeakyRelu", {x}, Attributes().f("alpha", p));
    case Unary::neg:
      return simple("Neg");
    case Unary::abs:
      return simple("Abs");
    case Unary::square:
      return with("Mul", x);
    case Unary::log:
      return simple("Log");
    case Unary::log1p:
      return b.node("Log", {with("Add", b.number(1))});
    case Unary::sin:
      return simple("Sin");
    case Unary::cos:
      return simple("Cos");
    case Unary::erf:
      return simple("Erf");
    case Unary::silu:
      return with("Mul", simple("Sigmoid"));
    case Unary::gelu: {
      const std::string phi =
          b.node("Add", {b.node("Erf", {with("Mul", b.number(std::sqrt(0.5)))}), b.number(1)});
      return b.node("Mul", {with("Mul", b.number(0.5)), phi});
    }
    case Unary::hard_swish:
      return simple("HardSwish");
    case Unary::hard_sigmoid:
      return b.node("HardSigmoid", {x}, Attributes().f("alpha", 1 / q).f("beta", p / q));
    case Unary::clamp:
      return b.node("Clip", {x, b.number(p), b.number(q)});
    case Unary::power:
      return with("Pow", b.number(p));
    case Unary::scale: {
      const std::string product = p == 1 ? x : with("Mul", b.number(p));
      return q == 0 && p != 1 ? product : b.node("Add", {product, b.number(q)});
    }
    case Unary::reciprocal:
      return simple("Reciprocal");
    case Unary::softplus:
      return simple("Softplus");
    case Unary::sign:
      return simple("Sign");
    case Unary::floor:
      return simple("Floor");
    case Unary::round:
      return simple("Round");
    case Unary::is_positive:
      return as_number(b, with("Greater", b.number(0)));
  }
  fail("onnx: an element-wise function without a counterpart");
}

std::string write_binary(OnnxBuilder& b, kernels::Binary f, const std::string& x,
                         const std::string& y) {
  using kernels::Binary;
  static constexpr const char* kNames[] = {
      "Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Greater", "GreaterOrEqual", "Equal"};
  const std::string result = b.node(kNames[int(f)], {x, y});
  return f >= Binary::greater ? as_number(b, result) : result;
}

// One layout for both operands: channels first if either is, and the other can be.
void write_binary(OnnxBuilder& b, const GraphNode& node) {
  const int x = node.inputs[0], y = node.inputs[1], result = node.outputs[0];
  const auto f = static_cast<const BinaryOp&>(*node.op).f;
  const bool any = b.layout_of(x) == kFirst || b.layout_of(y) == kFirst;
  const auto operand = [&](int v) -> std::string {
    const Shape& shape = b.shape(v);
    if (shape.rank() == 4) return b.in(v, kFirst);
    if (shape.numel() == 1) return b.in(v);
    if (shape.rank() == 1 && b.is_constant(v)) {
      const Tensor& t = b.graph().values[size_t(v)].constant;
      return b.constant(t.alias({1, shape[0], 1, 1}));
    }
    return "";
  };
  if (any && b.shape(result).rank() == 4) {
    const std::string left = operand(x), right = operand(y);
    if (!left.empty() && !right.empty())
      return b.set(result, kFirst, write_binary(b, f, left, right));
  }
  b.set(result, kOwn, write_binary(b, f, b.in(x), b.in(y)));
}

// ---- convolutions and products

Attributes conv_attributes(const ConvGeometry& g, const Shape& weight) {
  return Attributes()
      .ints("kernel_shape", {weight[1], weight[2]})
      .ints("strides", {g.stride[0], g.stride[1]})
      .ints("dilations", {g.dilation[0], g.dilation[1]})
      .ints("pads", {g.padding[0], g.padding[1], g.padding[0], g.padding[1]})
      .i("group", g.groups);
}

std::vector<std::string> conv_operands(OnnxBuilder& b, const GraphNode& node) {
  std::vector<std::string> list{b.in(node.inputs[0], kFirst), b.in(node.inputs[1], kFirst)};
  if (node.inputs[2] != kNoValue) list.push_back(b.in(node.inputs[2]));
  return list;
}

// Residual and activation behind a product written as `y` in this layout.
void write_tail(OnnxBuilder& b, const GraphNode& node, const FusedTail& tail, Layout layout,
                std::string y) {
  check(!tail.packed, "onnx: packed weights cannot be exported");
  if (node.inputs[3] != kNoValue) y = b.node("Add", {y, b.in(node.inputs[3], layout)});
  if (tail.acts) y = write_unary(b, y, tail.act);
  b.set(node.outputs[0], layout, y);
}

std::string write_conv(OnnxBuilder& b, const GraphNode& node, const ConvGeometry& g) {
  return b.node("Conv", conv_operands(b, node), conv_attributes(g, b.shape(node.inputs[1])));
}

std::string write_conv_transpose(OnnxBuilder& b, const GraphNode& node, const ConvGeometry& g,
                                 std::array<int, 2> extra) {
  return b.node(
      "ConvTranspose", conv_operands(b, node),
      conv_attributes(g, b.shape(node.inputs[1])).ints("output_padding", {extra[0], extra[1]}));
}

std::string swapped(OnnxBuilder& b, const std::string& name, int rank) {
  std::vector<int64_t> perm(static_cast<size_t>(rank));
  std::iota(perm.begin(), perm.end(), 0);
  std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
  return b.node("Transpose", {name}, Attributes().ints("perm", perm));
}

std::string write_linear(OnnxBuilder& b, const GraphNode& node) {
  const std::string y =
      b.node("MatMul", {b.in(node.inputs[0]), swapped(b, b.in(node.inputs[1]), 2)});
  return node.inputs[2] == kNoValue ? y : b.node("Add", {y, b.in(node.inputs[2])});
}

std::string write_matmul(OnnxBuilder& b, const GraphNode& node) {
  const auto& op = static_cast<const MatMulOp&>(*node.op);
  const auto operand = [&](int v, bool turn) {
    return turn ? swapped(b, b.in(v), b.shape(v).rank()) : b.in(v);
  };
  return b.node("MatMul",
                {operand(node.inputs[0], op.trans_a), operand(node.inputs[1], op.trans_b)});
}

std::string write_attention(OnnxBuilder& b, const GraphNode& node) {
  const double scale = static_cast<const AttentionOp&>(*node.op).scale;
  std::string scores =
      b.node("MatMul", {b.in(node.inputs[0]), swapped(b, b.in(node.inputs[1]), 4)});
  scores = b.node("Mul", {scores, b.number(scale)});
  if (node.inputs[3] != kNoValue) scores = b.node("Add", {scores, b.in(node.inputs[3])});
  const std::string share = b.node("Softmax", {scores}, Attributes().i("axis", -1));
  return b.node("MatMul", {share, b.in(node.inputs[2])});
}

// ---- pools and resizing

void write_pool(OnnxBuilder& b, const GraphNode& node) {
  const bool most = node.op->kind() == OpKind::MaxPool2d;
  const auto& axes = *node.op;
  const kernels::WindowAxis& rows = most ? static_cast<const MaxPool2dOp&>(axes).rows
                                         : static_cast<const AvgPool2dOp&>(axes).rows;
  const kernels::WindowAxis& columns = most ? static_cast<const MaxPool2dOp&>(axes).columns
                                            : static_cast<const AvgPool2dOp&>(axes).columns;
  std::vector<int64_t> kernel, stride, begin, end;
  for (const kernels::WindowAxis& a : {rows, columns}) {
    if (a.adaptive) {
      check(a.in % a.out == 0, "onnx: adaptive pooling from ", a.in, " to ", a.out);
      kernel.push_back(a.in / a.out), stride.push_back(a.in / a.out);
      begin.push_back(0), end.push_back(0);
      continue;
    }
    kernel.push_back(a.kernel), stride.push_back(a.stride), begin.push_back(a.padding);
    const int64_t needed = (a.out - 1) * a.stride + a.kernel - a.in - a.padding;
    check(most || needed <= a.padding || !a.count_padding, "onnx: averages in ceil mode");
    end.push_back(std::max<int64_t>(0, needed));
  }
  Attributes attributes;
  attributes.ints("kernel_shape", kernel).ints("strides", stride);
  attributes.ints("pads", {begin[0], begin[1], end[0], end[1]});
  if (!most) attributes.i("count_include_pad", rows.count_padding && !rows.adaptive);
  b.set(node.outputs[0], kFirst,
        b.node(most ? "MaxPool" : "AveragePool", {b.in(node.inputs[0], kFirst)}, attributes));
}

void write_resize(OnnxBuilder& b, const GraphNode& node) {
  const kernels::ResizeShape& s = static_cast<const ResizeOp&>(*node.op).shape;
  Attributes attributes;
  if (s.filter == kernels::Filter::nearest) {
    attributes.s("mode", "nearest").s("nearest_mode", "floor");
    attributes.s("coordinate_transformation_mode", "asymmetric");
  } else {
    attributes.s("mode", s.filter == kernels::Filter::linear ? "linear" : "cubic");
    attributes.s("coordinate_transformation_mode",
                 s.align_corners ? "align_corners" : "half_pixel");
    if (s.filter == kernels::Filter::cubic) attributes.f("cubic_coeff_a", -0.75);
  }
  b.set(node.outputs[0], kFirst,
        b.node("Resize", {b.in(node.inputs[0], kFirst), "", "", b.integers({s.N, s.C, s.h, s.w})},
               attributes));
}

// ---- norms

// Batch norm in evaluation mode as a product and a sum: it may stand behind anything.
void write_batch_norm(OnnxBuilder& b, const GraphNode& node) {
  const auto constant = [&](size_t i) {
    const int v = node.inputs[i];
    check(v == kNoValue || b.is_constant(v), "onnx: batch norm with computed statistics");
    return v == kNoValue ? Tensor() : b.graph().values[size_t(v)].constant;
  };
  const Tensor gamma = constant(1), beta = constant(2), mean = constant(3), var = constant(4);
  const double eps = static_cast<const BatchNormOp&>(*node.op).eps;
  const Layout layout = b.layout_of(node.inputs[0]);
  const int64_t C = mean.numel();
  const Shape shape = layout == kFirst ? Shape{1, C, 1, 1} : Shape{C};
  const Tensor scale = Tensor::empty(shape), shift = Tensor::empty(shape);
  for (int64_t c = 0; c < C; ++c) {
    const auto at = [&](const Tensor& t, double none) {
      return t.defined() ? double(t.data<float>()[c]) : none;
    };
    const double s = at(gamma, 1) / std::sqrt(at(var, 0) + eps);
    scale.data<float>()[c] = float(s);
    shift.data<float>()[c] = float(at(beta, 0) - at(mean, 0) * s);
  }
  const std::string x = b.in(node.inputs[0], layout);
  b.set(node.outputs[0], layout,
        b.node("Add", {b.node("Mul", {x, b.constant(scale)}), b.constant(shift)}));
}

std::string write_layer_norm(OnnxBuilder& b, const GraphNode& node) {
  const int64_t C = b.shape(node.inputs[0])[-1];
  const auto operand = [&](size_t i, double none) {
    const int v = node.inputs[i];
    return v == kNoValue ? b.constant(Tensor::full({C}, none)) : b.in(v);
  };
  return b.node(
      "LayerNormalization", {b.in(node.inputs[0]), operand(1, 1), operand(2, 0)},
      Attributes().i("axis", -1).f("epsilon", static_cast<const LayerNormOp&>(*node.op).eps));
}

std::string write_scale_norm(OnnxBuilder& b, const GraphNode& node) {
  const double eps = static_cast<const ScaleNormOp&>(*node.op).eps;
  const std::string x = b.in(node.inputs[0]);
  const double D = double(b.shape(node.inputs[0])[-1]);
  std::string length = b.node("ReduceL2", {x}, Attributes().ints("axes", {-1}).i("keepdims", 1));
  length = b.node("Mul", {length, b.number(1 / std::sqrt(D))});
  length = b.node("Max", {length, b.number(eps)});
  return b.node("Mul", {b.node("Div", {x, length}), b.in(node.inputs[1])});
}

// Statistics over each group of channels: instance norm over (N, G, rest).
void write_group_norm(OnnxBuilder& b, const GraphNode& node) {
  const auto& op = static_cast<const GroupNormOp&>(*node.op);
  const Shape& shape = b.shape(node.inputs[0]);
  check(shape.rank() == 4, "onnx: group norm over ", shape);
  const int64_t N = shape[0], G = op.groups, C = shape[3];
  const std::string x = b.in(node.inputs[0], kFirst);
  std::string y = b.node("Reshape", {x, b.integers({N, G, -1})});
  y = b.node("InstanceNormalization",
             {y, b.constant(Tensor::full({G}, 1)), b.constant(Tensor::full({G}, 0))},
             Attributes().f("epsilon", op.eps));
  y = b.node("Reshape", {y, b.integers({N, C, shape[1], shape[2]})});
  const auto per_channel = [&](int v) {
    return b.node("Reshape", {b.in(v), b.integers({1, C, 1, 1})});
  };
  if (node.inputs[1] != kNoValue) y = b.node("Mul", {y, per_channel(node.inputs[1])});
  if (node.inputs[2] != kNoValue) y = b.node("Add", {y, per_channel(node.inputs[2])});
  b.set(node.outputs[0], kFirst, y);
}

// ---- shapes

std::vector<int64_t> dims_of(const Shape& shape) {
  return {shape.dims().begin(), shape.dims().end()};
}

// Where dimension d of (N, H, W, C) stands in the layout.
int64_t axis_in(Layout layout, int d) {
  static constexpr int64_t kMoved[] = {0, 2, 3, 1};
  return layout == kFirst ? kMoved[d] : d;
}

void write_permute(OnnxBuilder& b, const GraphNode& node) {
  const int x = node.inputs[0], y = node.outputs[0];
  const auto& dims = static_cast<const PermuteOp&>(*node.op).dims;
  const int rank = b.shape(x).rank();
  const std::vector<int64_t> perm(dims.begin(), dims.begin() + rank);
  // Between the two layouts the numbers stay where they are.
  if (rank == 4 && perm == std::vector<int64_t>{0, 3, 1, 2} && b.has(x, kFirst))
    return b.set(y, kOwn, b.in(x, kFirst));
  if (rank == 4 && perm == std::vector<int64_t>{0, 2, 3, 1} && b.has(x, kOwn))
    return b.set(y, kFirst, b.in(x));
  b.set(y, kOwn, b.node("Transpose", {b.in(x)}, Attributes().ints("perm", perm)));
}

void write_slice(OnnxBuilder& b, const GraphNode& node) {
  const auto& op = static_cast<const SliceOp&>(*node.op);
  const Layout layout = b.layout_of(node.inputs[0]);
  const int64_t past = op.begin + op.count * op.step;
  const int64_t end = past < 0 ? std::numeric_limits<int64_t>::min() + 1 : past;
  b.set(node.outputs[0], layout,
        b.node("Slice", {b.in(node.inputs[0], layout), b.integers({op.begin}), b.integers({end}),
                         b.integers({axis_in(layout, op.dim)}), b.integers({op.step})}));
}

void write_concat(OnnxBuilder& b, const GraphNode& node) {
  const bool first =
      std::ranges::any_of(node.inputs, [&](int v) { return b.layout_of(v) == kFirst; });
  const Layout layout = first ? kFirst : kOwn;
  std::vector<std::string> parts;
  for (int v : node.inputs) parts.push_back(b.in(v, layout));
  const int dim = static_cast<const ConcatOp&>(*node.op).dim;
  b.set(node.outputs[0], layout,
        b.node("Concat", parts, Attributes().i("axis", axis_in(layout, dim))));
}

void write_split(OnnxBuilder& b, const GraphNode& node) {
  const auto& op = static_cast<const SplitOp&>(*node.op);
  const Layout layout = b.layout_of(node.inputs[0]);
  const std::vector<std::string> parts =
      b.nodes("Split", {b.in(node.inputs[0], layout), b.integers(op.extents)}, op.extents.size(),
              Attributes().i("axis", axis_in(layout, op.dim)));
  for (size_t i = 0; i < parts.size(); ++i) b.set(node.outputs[i], layout, parts[i]);
}

void write_pad(OnnxBuilder& b, const GraphNode& node) {
  const auto& op = static_cast<const PadOp&>(*node.op);
  const Layout layout = b.layout_of(node.inputs[0]);
  const size_t rank = op.amounts.size();
  std::vector<int64_t> pads(2 * rank);
  for (size_t d = 0; d < rank; ++d) {
    const size_t at = size_t(axis_in(layout, int(d)));
    pads[at] = op.amounts[d].first;
    pads[rank + at] = op.amounts[d].second;
  }
  b.set(node.outputs[0], layout,
        b.node("Pad", {b.in(node.inputs[0], layout), b.integers(pads), b.number(op.value)}));
}

void write_sum(OnnxBuilder& b, const GraphNode& node) {
  const auto& op = static_cast<const SumOp&>(*node.op);
  // The rows and columns of a feature map can be summed in either layout.
  const bool pixels = op.from.rank() == 4 && op.first == 1 && op.last == 3;
  const Layout layout = pixels ? b.layout_of(node.inputs[0]) : kOwn;
  std::vector<int64_t> axes;
  double count = 1;
  for (int d = op.first; d < op.last; ++d) {
    axes.push_back(axis_in(layout, d));
    count *= double(op.from[d]);
  }
  const std::string x = b.in(node.inputs[0], layout);
  std::string y;
  if (axes.empty()) {
    y = b.node("Mul", {x, b.number(op.factor)});
  } else if (std::abs(op.factor * count - 1) < 1e-12) {
    y = b.node("ReduceMean", {x}, Attributes().ints("axes", axes).i("keepdims", 0));
  } else {
    y = b.node("ReduceSum", {x, b.integers(axes)}, Attributes().i("keepdims", 0));
    if (op.factor != 1) y = b.node("Mul", {y, b.number(op.factor)});
  }
  b.set(node.outputs[0], kOwn, y);
}

void write_prelu(OnnxBuilder& b, const GraphNode& node) {
  const Layout layout = b.layout_of(node.inputs[0]);
  const Shape& slope = b.shape(node.inputs[1]);
  const std::string shaped =
      layout == kFirst ? b.node("Reshape", {b.in(node.inputs[1]), b.integers({slope[0], 1, 1})})
                       : b.in(node.inputs[1]);
  b.set(node.outputs[0], layout, b.node("PRelu", {b.in(node.inputs[0], layout), shaped}));
}

void write_choice(OnnxBuilder& b, const GraphNode& node) {
  const std::string x = b.in(node.inputs[0]);
  if (node.op->kind() == OpKind::TopK) {
    const int64_t k = static_cast<const TopKOp&>(*node.op).k;
    const auto both = b.nodes("TopK", {x, b.integers({k})}, 2, Attributes().i("axis", -1));
    b.set(node.outputs[0], kOwn, both[0]);
    return b.set(node.outputs[1], kOwn, both[1]);
  }
  const auto& op = static_cast<const ExtremeOp&>(*node.op);
  b.set(node.outputs[0], kOwn,
        b.node(op.largest ? "ReduceMax" : "ReduceMin", {x},
               Attributes().ints("axes", {op.dim}).i("keepdims", 0)));
  b.set(node.outputs[1], kOwn,
        b.node(op.largest ? "ArgMax" : "ArgMin", {x},
               Attributes().i("axis", op.dim).i("keepdims", 0)));
}

std::string write_gather(OnnxBuilder& b, const GraphNode& node) {
  const auto& op = static_cast<const GatherOp&>(*node.op);
  return b.node(op.shared ? "Gather" : "GatherElements",
                {b.in(node.inputs[0]), b.in(node.inputs[1])}, Attributes().i("axis", op.dim));
}

}  // namespace

void write_onnx_node(OnnxBuilder& b, const GraphNode& node) {
  const Op& op = *node.op;
  const int x = node.inputs[0], y = node.outputs[0];
  switch (op.kind()) {
    case OpKind::Unary: {
      const Layout layout = b.layout_of(x);
      return b.set(y, layout,
                   write_unary(b, b.in(x, layout), static_cast<const UnaryOp&>(op).args));
    }
    case OpKind::Binary:
      return write_binary(b, node);
    case OpKind::Where:
      return b.set(y, kOwn,
                   b.node("Where", {b.node("Cast", {b.in(x)}, Attributes().i("to", 9)),
                                    b.in(node.inputs[1]), b.in(node.inputs[2])}));
    case OpKind::Reshape:
      return b.set(y, kOwn, b.node("Reshape", {b.in(x), b.integers(dims_of(b.shape(y)))}));
    case OpKind::Permute:
      return write_permute(b, node);
    case OpKind::Expand:
      return b.set(y, kOwn, b.node("Expand", {b.in(x), b.integers(dims_of(b.shape(y)))}));
    case OpKind::Slice:
      return write_slice(b, node);
    case OpKind::Concat:
      return write_concat(b, node);
    case OpKind::Split:
      return write_split(b, node);
    case OpKind::Pad:
      return write_pad(b, node);
    case OpKind::Gather:
      return b.set(y, kOwn, write_gather(b, node));
    case OpKind::Extreme:
    case OpKind::TopK:
      return write_choice(b, node);
    case OpKind::Sum:
      return write_sum(b, node);
    case OpKind::Softmax:
      return b.set(y, kOwn, b.node("Softmax", {b.in(x)}, Attributes().i("axis", -1)));
    case OpKind::LogSoftmax:
      return b.set(y, kOwn, b.node("LogSoftmax", {b.in(x)}, Attributes().i("axis", -1)));
    case OpKind::MatMul:
      return b.set(y, kOwn, write_matmul(b, node));
    case OpKind::Attention:
      return b.set(y, kOwn, write_attention(b, node));
    case OpKind::Conv2d:
      return b.set(y, kFirst, write_conv(b, node, static_cast<const Conv2dOp&>(op).geometry));
    case OpKind::ConvTranspose2d: {
      const auto& conv = static_cast<const ConvTranspose2dOp&>(op);
      return b.set(y, kFirst, write_conv_transpose(b, node, conv.geometry, conv.output_padding));
    }
    case OpKind::Linear:
      return b.set(y, kOwn, write_linear(b, node));
    case OpKind::ConvBiasAct: {
      const auto& conv = static_cast<const ConvBiasActOp&>(op);
      return write_tail(b, node, conv.tail, kFirst, write_conv(b, node, conv.geometry));
    }
    case OpKind::ConvTransposeBiasAct: {
      const auto& conv = static_cast<const ConvTransposeBiasActOp&>(op);
      return write_tail(b, node, conv.tail, kFirst,
                        write_conv_transpose(b, node, conv.geometry, conv.output_padding));
    }
    case OpKind::LinearBiasAct:
      return write_tail(b, node, static_cast<const LinearBiasActOp&>(op).tail, kOwn,
                        write_linear(b, node));
    case OpKind::BatchNorm:
      return write_batch_norm(b, node);
    case OpKind::GroupNorm:
      return write_group_norm(b, node);
    case OpKind::LayerNorm:
      return b.set(y, kOwn, write_layer_norm(b, node));
    case OpKind::ScaleNorm:
      return b.set(y, kOwn, write_scale_norm(b, node));
    case OpKind::MaxPool2d:
    case OpKind::AvgPool2d:
      return write_pool(b, node);
    case OpKind::Resize:
      return write_resize(b, node);
    case OpKind::PRelu:
      return write_prelu(b, node);
    default:
      fail("onnx: ", op.name(), " has no counterpart here");
  }
}

}  // namespace limber
