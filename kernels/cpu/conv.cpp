// Convolution, forward. The plain form is the definition written as loops; on vector hardware f32
// takes a matrix product (1 x 1) or gathered windows (conv_dense.cpp, depthwise.cpp).
#include "kernels/conv.h"

#include "kernels/cpu/conv_dense.h"
#include "kernels/cpu/conv_plain.h"
#include "kernels/cpu/depthwise.h"
#include "kernels/cpu/narrow.h"
#include "kernels/cpu/simd.h"
#include "kernels/gemm.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

// One row of the result, (Q, K), from one image x (H, W, C).
template <class T>
void plain_row(const Conv& s, const Epilogue& e, T* y, const T* x, const T* weight, const T* bias,
               const T* residual, int64_t p) {
  const int64_t channels = s.C / s.groups, filters = s.K / s.groups;
  for (int64_t q = 0; q < s.Q; ++q) {
    for (int64_t k = 0; k < s.K; ++k) {
      Vec<T> total{};
      for (int64_t r = 0; r < s.R; ++r) {
        const int64_t h = p * s.stride_h - s.pad_h + r * s.dilation_h;
        if (h < 0 || h >= s.H) continue;
        for (int64_t t = 0; t < s.S; ++t) {
          const int64_t w = q * s.stride_w - s.pad_w + t * s.dilation_w;
          if (w < 0 || w >= s.W) continue;
          const T* pixel = x + (h * s.W + w) * s.C + k / filters * channels;
          const T* tap = weight + ((k * s.R + r) * s.S + t) * channels;
          for_lanes<T>(channels, [&](int64_t c, int64_t n) {
            total += load(pixel + c, n) * load(tap + c, n);
          });
        }
      }
      const int64_t at = q * s.K + k;
      y[at] = reduce_add<T>(total) + (bias != nullptr ? bias[k] : T(0)) +
              (residual != nullptr ? residual[at] : T(0));
    }
  }
  apply_plainly(e, y, s.Q * s.K);
}

// A 1 x 1 convolution is a product of matrices: pixels times filters.
void by_gemm(const Exec& ex, const Conv& s, Out y, In x, In weight, In bias) {
  Gemm g;
  g.trans_b = true;
  g.M = s.N * s.P * s.Q, g.N = s.K, g.K = s.C;
  g.lda = g.ldb = s.C, g.ldc = s.K;
  g.bias = bias;
  gemm(ex, g, y, x, weight);
}

Product product_of(const Conv& s, const Epilogue& e, Out y, In x, In weight, In bias) {
  const int64_t channels = s.C / s.groups;
  return {.gather = windows_of(s, x.as<float>()),
          .out = y.as<float>(),
          .H = s.P,
          .W = s.Q,
          .K = s.K,
          .step_h = 1,
          .step_w = 1,
          .at_h = 0,
          .at_w = 0,
          .groups = s.groups,
          .channels = channels,
          .filters = s.K / s.groups,
          .weight = weight.as<float>(),
          .S = s.S,
          .tap_size = channels,
          .row_size = s.R * s.S * channels,
          .filter_first = true,
          .bias = bias.as<float>(),
          .packed = e.packed ? weight.as<float>() : nullptr,
          .residual = e.residual.as<float>(),
          .act = activation_of(e)};
}

}  // namespace

void conv_forward(const Exec& ex, const Conv& s, Out y, In x, In weight, In bias) {
  if (!kBaseline && is_pointwise(s)) return by_gemm(ex, s, y, x, weight, bias);
  conv_fused(ex, s, {}, y, x, weight, bias);
}

void conv_fused(const Exec& ex, const Conv& s, const Epilogue& e, Out y, In x, In weight, In bias) {
  if (e.narrow.precision != Precision::f32)
    return narrow_windows(ex, product_of(s, e, y, x, {}, bias), e.narrow, weight.data);
  if (has_fast_form(s)) {
    const Product p = product_of(s, e, y, x, weight, bias);
    return is_depthwise(s) ? depthwise_windows(ex, p) : multiply_windows(ex, p);
  }
  by_float_type(y.dtype, [&]<class T>(T) {
    parallel_for(ex, s.N * s.P, 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const T* residual = e.residual.as<T>();
        plain_row(s, e, y.as<T>() + row * s.Q * s.K, x.as<T>() + row / s.P * s.H * s.W * s.C,
                  weight.as<T>(), bias.as<T>(),
                  residual != nullptr ? residual + row * s.Q * s.K : nullptr, row % s.P);
      }
    });
  });
}

void conv_packed_form(const Exec&, const Conv& s, const Narrow& n, PackedForm& form) {
  if (n.precision != Precision::f32) {
    form = {narrow_numbers(product_of(s, {}, {}, {}, {}, {}), n), 0};
    return;
  }
  if (!has_fast_form(s)) {
    form = {s.K * s.R * s.S * (s.C / s.groups), 0};
    return;
  }
  const Product p = product_of(s, {}, {}, {}, {}, {});
  form = is_depthwise(s) ? PackedForm{packed_depthwise(p), 0} : packed_form(p);
}

void conv_pack(const Exec&, const Conv& s, const Narrow& n, Out packed, In weight) {
  if (n.precision != Precision::f32)
    return pack_narrow(product_of(s, {}, {}, {}, weight, {}), n, packed.data);
  if (!has_fast_form(s)) return copy_weight(packed, weight, s.K * s.R * s.S * (s.C / s.groups));
  const Product p = product_of(s, {}, {}, {}, weight, {});
  is_depthwise(s) ? pack_depthwise(p, packed.as<float>()) : pack_product(p, packed.as<float>());
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
