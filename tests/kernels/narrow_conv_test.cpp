// Convolutions in bf16 and int8: the plain form against f64 on rounded operands, every matrix unit
// of this machine against the plain form, threads against one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "kernels/conv.h"
#include "kernels/cpu/runtime/cpu_features.h"
#include "kernels/cpu/runtime/thread_pool.h"
#include "kernels/half.h"
#include "tests/support/tensors.h"

namespace limber::kernels {
namespace {

struct Case {
  int64_t batch, height, width, in, out, kernel, stride, pad, dilation;
  bool transposed = false;
};

Conv shape_of(const Case& c) {
  Conv s;
  s.N = c.batch, s.R = s.S = c.kernel;
  s.stride_h = s.stride_w = c.stride, s.pad_h = s.pad_w = c.pad;
  s.dilation_h = s.dilation_w = c.dilation;
  const auto size = [&](int64_t n) {
    return c.transposed ? (n - 1) * c.stride - 2 * c.pad + c.kernel
                        : (n + 2 * c.pad - c.dilation * (c.kernel - 1) - 1) / c.stride + 1;
  };
  if (c.transposed) {
    s.P = c.height, s.Q = c.width, s.K = c.in;
    s.H = size(c.height), s.W = size(c.width), s.C = c.out;
  } else {
    s.H = c.height, s.W = c.width, s.C = c.in;
    s.P = size(c.height), s.Q = size(c.width), s.K = c.out;
  }
  return s;
}

constexpr float kLow = -1, kHigh = 1.5;

class NarrowConv : public testing::TestWithParam<Case> {
 protected:
  const Case& c = GetParam();
  const Conv s = shape_of(c);
  const Tensor x = test::uniform({c.batch, c.height, c.width, c.in}, kLow, kHigh, 1).to(DType::f32);
  const Tensor w = test::uniform({s.K, s.R, s.S, s.C}, -0.2, 0.2, 2).to(DType::f32);
  const Tensor bias = test::uniform({c.out}, -1, 1, 3).to(DType::f32);
  const Shape y = c.transposed ? Shape{s.N, s.H, s.W, s.C} : Shape{s.N, s.P, s.Q, s.K};
  const Tensor residual = test::uniform(y, -1, 1, 4).to(DType::f32);

  // With all that an epilogue may add, or nothing of it.
  Tensor run(const Exec& ex, const Narrow& n, const Tensor& input, const Tensor& weight,
             bool all) const {
    PackedForm form;
    c.transposed ? conv_transposed_packed_form(ex, s, n, form) : conv_packed_form(ex, s, n, form);
    const DType type = n.precision == Precision::f32    ? weight.dtype()
                       : n.precision == Precision::bf16 ? DType::bf16
                                                        : DType::u8;
    const Tensor packed = Tensor::empty({form.numbers}, type);
    const Tensor result = Tensor::empty(y, input.dtype());
    c.transposed ? conv_transposed_pack(ex, s, n, packed.out(), weight.in())
                 : conv_pack(ex, s, n, packed.out(), weight.in());
    Epilogue e{.packed = true, .narrow = n};
    if (all) e.acts = true, e.act = {Unary::silu}, e.residual = residual.in();
    const In added = all ? bias.in() : In{};
    c.transposed ? conv_transposed_fused(ex, s, e, result.out(), input.in(), packed.in(), added)
                 : conv_fused(ex, s, e, result.out(), input.in(), packed.in(), added);
    return result;
  }

  static double distance(const Tensor& a, const Tensor& b) {
    double worst = 0, top = 1e-30;
    for (int64_t i = 0; i < a.numel(); ++i) {
      const double expected = b.dtype() == DType::f64 ? b.data<double>()[i] : b.data<float>()[i];
      worst = std::max(worst, std::abs(double(a.data<float>()[i]) - expected));
      top = std::max(top, std::abs(expected));
    }
    return worst / top;
  }
};

Tensor rounded(const Tensor& t) { return t.to(DType::bf16).to(DType::f32); }

// Every number of t as an integer times the step that belongs to it. In f32, as numbers half way
// between two integers ask for.
Tensor quantised(const Tensor& t, float low, float high) {
  const Tensor result = t.clone();
  const float step = (high - low) / 255, zero = std::floor(-low / step + 0.5f);
  for (float& v : result.span<float>())
    v = step * (std::clamp(std::nearbyint(v * (1 / step)) + zero, 0.0f, 255.0f) - zero);
  return result;
}

Tensor quantised_filters(const Tensor& t, bool by_last) {
  const Tensor result = t.clone();
  const int64_t last = t.size(-1), row = t.numel() / t.size(0);
  const int64_t filters = by_last ? last : t.size(0);
  const auto filter_of = [&](int64_t i) { return by_last ? i % last : i / row; };
  std::vector<float> most(size_t(filters), 0);
  for (int64_t i = 0; i < t.numel(); ++i) {
    float& m = most[size_t(filter_of(i))];
    m = std::max(m, std::abs(t.data<float>()[i]));
  }
  for (int64_t i = 0; i < t.numel(); ++i) {
    const float step = most[size_t(filter_of(i))] / 127;
    float& v = result.data<float>()[i];
    v = step * std::nearbyint(v / step);
  }
  return result;
}

TEST_P(NarrowConv, ThePlainFormIsTheDefinition) {
  const auto exact = [&](const Tensor& input, const Tensor& weight) {
    return run(Exec{}, {}, input.to(DType::f64), weight.to(DType::f64), false);
  };
  const Tensor bf16 = run(Exec{}, {.precision = Precision::bf16}, x, w, false);
  EXPECT_LE(distance(bf16, exact(rounded(x), rounded(w))), 1e-5);
  const Narrow n{.precision = Precision::int8, .low = kLow, .high = kHigh};
  const Tensor int8 = run(Exec{}, n, x, w, false);
  const Tensor expected =
      exact(quantised(x, kLow, kHigh), quantised_filters(w, /*by_last=*/c.transposed));
  EXPECT_LE(distance(int8, expected), 1e-5);
  // And that is near what was meant.
  EXPECT_LE(distance(bf16, exact(x, w)), 0.01);
  EXPECT_LE(distance(int8, exact(x, w)), 0.02);
}

TEST_P(NarrowConv, UnitsComputeThePlainForm) {
  ThreadPool pool(3);
  for (const Precision precision : {Precision::bf16, Precision::int8}) {
    Narrow n{.precision = precision, .low = kLow, .high = kHigh};
    const Tensor expected = run(Exec{}, n, x, w, true);
    for (const MatrixUnit unit : {MatrixUnit::none, MatrixUnit::dot, MatrixUnit::tiles}) {
      if (!has_unit(unit, precision)) continue;
      SCOPED_TRACE(std::to_string(int(precision)) + " on unit " + std::to_string(int(unit)));
      Exec ex{.isa = unit == MatrixUnit::none ? Isa::base : kIsas[std::size(kIsas) - 1]};
      n.unit = unit;
      const Tensor alone = run(ex, n, x, w, true);
      EXPECT_LE(distance(alone, expected), 1e-5);
      ex.pool = &pool;
      const Tensor shared = run(ex, n, x, w, true);
      EXPECT_TRUE(std::ranges::equal(shared.span<float>(), alone.span<float>())) << "threads";
    }
  }
}

// With steps of one the sums of int8 are integers, and equal.
TEST_P(NarrowConv, SumsOfIntegersAreExact) {
  const Tensor integers = test::uniform(x.shape(), -100, 155, 5).to(DType::i64).to(DType::f32);
  const Tensor weight = test::uniform(w.shape(), -127, 127, 6).to(DType::i64).to(DType::f32);
  // Every filter has its 127.
  for (int64_t i = 0; i < w.numel(); ++i) {
    const bool first = c.transposed ? i < s.C : i % (w.numel() / s.K) == 0;
    if (first) weight.data<float>()[i] = 127;
  }
  Narrow n{.precision = Precision::int8, .low = -100, .high = 155};
  const Tensor expected = run(Exec{}, {}, integers.to(DType::f64), weight.to(DType::f64), false);
  for (const MatrixUnit unit : {MatrixUnit::none, MatrixUnit::dot, MatrixUnit::tiles}) {
    if (!has_unit(unit, Precision::int8)) continue;
    n.unit = unit;
    const Exec ex{.isa = unit == MatrixUnit::none ? Isa::base : kIsas[std::size(kIsas) - 1]};
    const Tensor got = run(ex, n, integers, weight, false);
    for (int64_t i = 0; i < got.numel(); ++i)
      ASSERT_EQ(got.data<float>()[i], float(expected.data<double>()[i])) << int(unit) << " " << i;
  }
}

// batch, height, width, in, out, kernel, stride, pad, dilation
INSTANTIATE_TEST_SUITE_P(
    Shapes, NarrowConv,
    testing::Values(Case{1, 16, 12, 64, 64, 3, 1, 1, 1}, Case{2, 9, 7, 40, 48, 3, 1, 1, 1},
                    Case{3, 8, 6, 33, 70, 3, 1, 1, 1}, Case{1, 33, 21, 16, 17, 3, 2, 1, 1},
                    Case{1, 32, 24, 3, 24, 7, 2, 3, 1}, Case{1, 7, 9, 12, 5, 3, 1, 2, 2},
                    Case{2, 9, 8, 20, 20, 1, 2, 0, 1}, Case{1, 8, 6, 70, 32, 1, 1, 0, 1},
                    Case{1, 40, 1, 96, 100, 1, 1, 0, 1}, Case{1, 34, 18, 3, 40, 16, 16, 2, 1},
                    Case{40, 2, 3, 8, 9, 3, 1, 1, 1}, Case{1, 5, 4, 8, 9, 1, 1, 2, 1},
                    Case{1, 5, 4, 8, 9, 2, 3, 3, 1}, Case{1, 1, 1, 5, 3, 1, 1, 0, 1},
                    Case{1, 70, 50, 64, 32, 3, 1, 1, 1}, Case{1, 9, 9, 8, 8, 5, 3, 0, 1},
                    Case{1, 16, 12, 48, 64, 4, 2, 1, 1, true},
                    Case{2, 7, 5, 32, 33, 4, 2, 1, 1, true},
                    Case{1, 3, 4, 65, 31, 3, 3, 0, 1, true}));

}  // namespace
}  // namespace limber::kernels
