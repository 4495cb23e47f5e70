// Convolutions of plans against the plain ones: packed weights, whichever way they go (windows,
// depthwise, Winograd's tiles), with all that an epilogue may add. And input gradients, which may
// go the same ways.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "kernels/conv.h"
#include "kernels/cpu/runtime/cpu_features.h"
#include "kernels/cpu/runtime/thread_pool.h"
#include "tests/support/tensors.h"

namespace limber::kernels {
namespace {

struct Case {
  int64_t batch, height, width, in, out, kernel, stride, groups;
};

// The transposed convolution where the stride is two: in to out channels, twice the size.
Conv shape_of(const Case& c) {
  Conv s;
  s.N = c.batch, s.R = s.S = c.kernel, s.groups = c.groups;
  s.stride_h = s.stride_w = c.stride, s.pad_h = s.pad_w = (c.kernel - 1) / 2;
  const bool transposed = c.stride == 2;
  s.P = c.height, s.Q = c.width, s.H = c.height * c.stride, s.W = c.width * c.stride;
  s.C = transposed ? c.out : c.in, s.K = transposed ? c.in : c.out;
  return s;
}

// The largest difference by the largest number.
double error_of(const Tensor& got, const Tensor& expected) {
  double worst = 0, top = 0;
  for (int64_t i = 0; i < got.numel(); ++i) {
    const double a = got.data<float>()[i], b = expected.data<float>()[i];
    worst = std::max(worst, std::abs(a - b));
    top = std::max(top, std::abs(b));
  }
  return worst / top;
}

class PackedConv : public testing::TestWithParam<Case> {};

TEST_P(PackedConv, EqualsThePlainForm) {
  const Case& c = GetParam();
  const Conv s = shape_of(c);
  const bool transposed = c.stride == 2;
  const Tensor x = test::uniform({c.batch, c.height, c.width, c.in}, -1, 1, 1).to(DType::f32);
  const Tensor w = test::uniform({s.K, s.R, s.S, s.C / s.groups}, -0.2, 0.2, 2).to(DType::f32);
  const Tensor bias = test::uniform({c.out}, -1, 1, 3).to(DType::f32);
  const Shape shape{c.batch, c.height * c.stride, c.width * c.stride, c.out};
  const Tensor residual = test::uniform(shape, -1, 1, 4).to(DType::f32);
  const Tensor expected = Tensor::empty(shape);
  const Epilogue e{.acts = true, .act = {Unary::silu}, .residual = residual.in()};
  const auto run = [&](const Exec& ex, const Epilogue& how, const Tensor& weight, const Tensor& y) {
    transposed ? conv_transposed_fused(ex, s, how, y.out(), x.in(), weight.in(), bias.in())
               : conv_fused(ex, s, how, y.out(), x.in(), weight.in(), bias.in());
  };
  run(Exec{}, e, w, expected);
  ThreadPool pool(3);
  for (Isa isa : kIsas) {
    if (!has_isa(isa)) continue;
    SCOPED_TRACE(std::string(isa_name(isa)));
    Exec ex{.isa = isa};
    PackedForm form;
    transposed ? conv_transposed_packed_form(ex, s, {}, form) : conv_packed_form(ex, s, {}, form);
    const Tensor packed = Tensor::empty({form.numbers}), alone = Tensor::empty(shape);
    transposed ? conv_transposed_pack(ex, s, {}, packed.out(), w.in())
               : conv_pack(ex, s, {}, packed.out(), w.in());
    Epilogue how = e;
    how.packed = true;
    run(ex, how, packed, alone);
    EXPECT_LE(error_of(alone, expected), 1e-5);
    ex.pool = &pool;
    const Tensor shared = Tensor::empty(shape);
    run(ex, how, packed, shared);
    EXPECT_TRUE(std::ranges::equal(shared.span<float>(), alone.span<float>())) << "threads";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, PackedConv,
    testing::Values(Case{1, 16, 12, 64, 64, 3, 1, 1}, Case{2, 9, 7, 40, 48, 3, 1, 1},
                    Case{3, 8, 6, 33, 70, 3, 1, 1}, Case{1, 33, 21, 16, 17, 3, 1, 1},
                    Case{1, 5, 3, 128, 128, 3, 1, 1}, Case{1, 7, 9, 12, 5, 3, 1, 1},
                    Case{2, 8, 6, 24, 36, 3, 1, 2}, Case{1, 9, 8, 20, 20, 3, 1, 20},
                    Case{1, 16, 12, 48, 64, 4, 2, 1}, Case{2, 7, 5, 32, 33, 4, 2, 1},
                    Case{1, 3, 4, 64, 31, 4, 2, 1}, Case{1, 8, 6, 70, 32, 1, 1, 1}));

// Batches that pay for transforming the weight in the call, and one that does not.
class InputGradient : public testing::TestWithParam<Case> {};

TEST_P(InputGradient, EqualsThePlainForm) {
  const Conv s = shape_of(GetParam());
  const Tensor dy = test::uniform({s.N, s.P, s.Q, s.K}, -1, 1, 1);
  const Tensor w = test::uniform({s.K, s.R, s.S, s.C}, -0.2, 0.2, 2);
  const Tensor expected = Tensor::empty({s.N, s.H, s.W, s.C});
  conv_backward_data(Exec{}, s, expected.out(), dy.in(), w.in(), {});
  ThreadPool pool(3);
  for (Isa isa : kIsas) {
    if (!has_isa(isa)) continue;
    SCOPED_TRACE(std::string(isa_name(isa)));
    const Tensor alone = Tensor::empty(expected.shape()), shared = Tensor::empty(expected.shape());
    conv_backward_data({.isa = isa}, s, alone.out(), dy.in(), w.in(), {});
    EXPECT_LE(error_of(alone, expected), 1e-5);
    conv_backward_data({.isa = isa, .pool = &pool}, s, shared.out(), dy.in(), w.in(), {});
    EXPECT_TRUE(std::ranges::equal(shared.span<float>(), alone.span<float>())) << "threads";
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, InputGradient,
                         testing::Values(Case{8, 16, 12, 64, 64, 3, 1, 1},
                                         Case{8, 9, 7, 70, 33, 3, 1, 1},
                                         Case{4, 5, 3, 40, 48, 3, 1, 1},
                                         Case{8, 16, 12, 48, 64, 4, 2, 1},
                                         Case{1, 4, 3, 64, 64, 3, 1, 1}));

}  // namespace
}  // namespace limber::kernels
