#include "tensor/ops/fused.h"

#include "tests/ops/cases.h"

namespace limber::test {
namespace {

using kernels::Unary;

FusedTail tail_of(bool acts, Unary f, double a = 0, double b = 0) {
  FusedTail tail;
  tail.acts = acts;
  tail.act = {f, a, b};
  return tail;
}

// Runs the op, with `packed` after packing its weight for the instruction set in use, if there is
// one.
template <class O>
Tensor call(O op, const std::vector<Tensor>& in, bool bias, bool residual, bool packed) {
  size_t next = 2;
  const Tensor b = bias ? in[next++] : Tensor(), r = residual ? in[next++] : Tensor();
  Tensor weight = in[1];
  if (packed && weight.dtype() == DType::f32 && !weight.device().is_cuda()) {
    const Shape y = op.infer(std::vector<Tensor>{in[0], weight, b, Tensor()})[0].shape;
    op.tail.weight = weight.shape();
    weight =
        packed_weight(exec_for(weight.dtype()), op, {in[0].shape(), weight.shape(), y}, {}, weight);
    op.tail.packed = true;
  }
  return apply_one(std::move(op), {in[0], weight, b, r});
}

template <class O>
std::vector<OpCase> variants(const std::string& name, const O& op, const Shape& x,
                             const Shape& weight, const Shape& y, double largest_weight = 1) {
  std::vector<OpCase> rows;
  for (const bool packed : {false, true}) {
    for (const bool more : {false, true}) {
      OpCase row{name + (more ? "_all" : "") + (packed ? "_packed" : ""),
                 {{x}, {weight, -largest_weight, largest_weight}},
                 [=](const auto& in) { return call(op, in, more, more, packed); }};
      row.differentiable = false;
      if (more) {
        row.inputs.push_back({{y[-1]}});
        row.inputs.push_back({y});
      }
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

}  // namespace

std::vector<OpCase> fused_cases() {
  const FusedTail none, relu = tail_of(true, Unary::relu), silu = tail_of(true, Unary::silu);
  const FusedTail gelu = tail_of(true, Unary::gelu), six = tail_of(true, Unary::relu6);
  const FusedTail leaky = tail_of(true, Unary::leaky_relu, 0.1);
  const FusedTail hard = tail_of(true, Unary::hard_sigmoid, 3, 6);
  const FusedTail swish = tail_of(true, Unary::hard_swish), tanh = tail_of(true, Unary::tanh);
  const FusedTail clamp = tail_of(true, Unary::clamp, -0.2, 0.4);
  const FusedTail sigmoid = tail_of(true, Unary::sigmoid);
  const ConvGeometry same{.padding = {1, 1}}, half{.stride = {2, 2}, .padding = {1, 1}};
  const auto grouped = [](ConvGeometry g, int groups) {
    g.groups = groups;
    return g;
  };
  std::vector<OpCase> rows;
  const auto add = [&](std::vector<OpCase> more) {
    for (OpCase& row : more) rows.push_back(std::move(row));
  };
  using C = ConvBiasActOp;
  add(variants("ConvBiasAct/3x3", C(same, relu), {2, 7, 6, 5}, {9, 3, 3, 5}, {2, 7, 6, 9}));
  add(variants("ConvBiasAct/none", C(same, none), {1, 6, 5, 37}, {70, 3, 3, 37}, {1, 6, 5, 70}));
  add(variants("ConvBiasAct/stride", C(half, silu), {2, 9, 8, 6}, {10, 3, 3, 6}, {2, 5, 4, 10}));
  add(variants("ConvBiasAct/1x1", C({}, six), {2, 5, 7, 13}, {34, 1, 1, 13}, {2, 5, 7, 34}));
  add(variants("ConvBiasAct/long", C(same, leaky), {1, 6, 5, 160}, {40, 3, 3, 160}, {1, 6, 5, 40}));
  // Weights so small that the sums of 600 terms are of the size of the clamp, which would otherwise
  // cut the results to a fraction of the numbers that the rounding error belongs to.
  add(variants("ConvBiasAct/wide", C({}, clamp), {1, 5, 5, 600}, {272, 1, 1, 600}, {1, 5, 5, 272},
               0.05));
  add(variants("ConvBiasAct/groups", C(grouped(same, 3), hard), {2, 6, 5, 12}, {9, 3, 3, 4},
               {2, 6, 5, 9}));
  add(variants("ConvBiasAct/depthwise", C(grouped(half, 35), swish), {2, 7, 8, 35}, {35, 3, 3, 1},
               {2, 4, 4, 35}));
  add(variants("ConvBiasAct/depthwise_relu", C(grouped(same, 19), relu), {1, 6, 5, 19},
               {19, 3, 3, 1}, {1, 6, 5, 19}));
  add(variants("ConvBiasAct/large_kernel", C({.padding = {11, 0}}, tanh), {1, 3, 4, 2},
               {3, 23, 1, 2}, {1, 3, 4, 3}));
  using T = ConvTransposeBiasActOp;
  add(variants("ConvTransposeBiasAct/4x4", T(half, {0, 0}, relu), {2, 4, 3, 6}, {6, 4, 4, 5},
               {2, 8, 6, 5}));
  add(variants("ConvTransposeBiasAct/3x3", T(half, {1, 1}, gelu), {1, 4, 5, 3}, {3, 3, 3, 19},
               {1, 8, 10, 19}));
  add(variants("ConvTransposeBiasAct/groups", T(grouped(half, 3), {0, 0}, none), {2, 4, 3, 6},
               {6, 4, 4, 2}, {2, 8, 6, 6}));
  add(variants("ConvTransposeBiasAct/depthwise", T(grouped(half, 17), {0, 0}, sigmoid),
               {1, 4, 3, 17}, {17, 4, 4, 1}, {1, 8, 6, 17}));
  using L = LinearBiasActOp;
  add(variants("LinearBiasAct/rows", L(gelu), {3, 7, 20}, {33, 20}, {3, 7, 33}));
  add(variants("LinearBiasAct/one", L(none), {1, 530}, {18, 530}, {1, 18}));
  return rows;
}

}  // namespace limber::test
