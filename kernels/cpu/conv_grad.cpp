// Convolution, gradients for the input and the weight. The plain forms gather: every element of a
// result is written by one thread, in one order.
#include "kernels/conv.h"

#include "kernels/cpu/conv_dense.h"
#include "kernels/cpu/conv_plain.h"
#include "kernels/cpu/depthwise.h"
#include "kernels/cpu/narrow.h"
#include "kernels/cpu/simd.h"
#include "kernels/gemm.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

// One row of the input's gradient, (W, C), from one image dy (P, Q, K).
template <class T>
void plain_data_row(const Conv& s, const Epilogue& e, T* dx, const T* dy, const T* weight,
                    const T* bias, const T* residual, int64_t h) {
  const int64_t channels = s.C / s.groups, filters = s.K / s.groups;
  for (int64_t w = 0; w < s.W; ++w) {
    T* pixel = dx + w * s.C;
    for (int64_t c = 0; c < s.C; ++c)
      pixel[c] =
          (bias != nullptr ? bias[c] : T(0)) + (residual != nullptr ? residual[w * s.C + c] : T(0));
    for (int64_t r = 0; r < s.R; ++r) {
      const int64_t at_p = h + s.pad_h - r * s.dilation_h, p = at_p / s.stride_h;
      if (at_p < 0 || at_p % s.stride_h != 0 || p >= s.P) continue;
      for (int64_t t = 0; t < s.S; ++t) {
        const int64_t at_q = w + s.pad_w - t * s.dilation_w, q = at_q / s.stride_w;
        if (at_q < 0 || at_q % s.stride_w != 0 || q >= s.Q) continue;
        for (int64_t k = 0; k < s.K; ++k) {
          const T grad = dy[(p * s.Q + q) * s.K + k];
          const T* tap = weight + ((k * s.R + r) * s.S + t) * channels;
          T* to = pixel + k / filters * channels;
          for_lanes<T>(channels, [&](int64_t c, int64_t n) {
            store(to + c, load(to + c, n) + grad * load(tap + c, n), n);
          });
        }
      }
    }
  }
  apply_plainly(e, dx, s.W * s.C);
}

// The weight gradient of filter k, (R, S, C / groups).
template <class T>
void plain_filter(const Conv& s, T* dweight, const T* x, const T* dy, int64_t k) {
  const int64_t channels = s.C / s.groups, group = k / (s.K / s.groups);
  for (int64_t i = 0; i < s.R * s.S * channels; ++i) dweight[i] = 0;
  for (int64_t n = 0; n < s.N; ++n) {
    for (int64_t p = 0; p < s.P; ++p) {
      for (int64_t q = 0; q < s.Q; ++q) {
        const T grad = dy[((n * s.P + p) * s.Q + q) * s.K + k];
        for (int64_t r = 0; r < s.R; ++r) {
          const int64_t h = p * s.stride_h - s.pad_h + r * s.dilation_h;
          if (h < 0 || h >= s.H) continue;
          for (int64_t t = 0; t < s.S; ++t) {
            const int64_t w = q * s.stride_w - s.pad_w + t * s.dilation_w;
            if (w < 0 || w >= s.W) continue;
            const T* pixel = x + ((n * s.H + h) * s.W + w) * s.C + group * channels;
            T* to = dweight + (r * s.S + t) * channels;
            for_lanes<T>(channels, [&](int64_t c, int64_t m) {
              store(to + c, load(to + c, m) + grad * load(pixel + c, m), m);
            });
          }
        }
      }
    }
  }
}

// The data gradient of a 1 x 1 convolution is a product of matrices: dx = dy W.
void pointwise_data(const Exec& ex, const Conv& s, Out dx, In dy, In weight, In bias) {
  Gemm g;
  g.M = s.N * s.H * s.W, g.N = s.C, g.K = s.K;
  g.lda = s.K, g.ldb = g.ldc = s.C;
  g.bias = bias;
  gemm(ex, g, dx, dy, weight);
}

// The taps that reach rows (or columns) `phase`, phase + stride, ... of dx, and how far from the
// position's own row of dy.
Taps taps_of_phase(int64_t phase, int64_t pad, int64_t stride, int64_t dilation, int64_t extent) {
  Taps taps;
  for (int64_t r = extent - 1; r >= 0; --r) {
    const int64_t at = phase + pad - r * dilation;
    if (at % stride == 0) taps.add(at / stride, r);
  }
  return taps;
}

// Calls body with each of the products that make up dx: at every stride-th row and column it is a
// convolution of stride 1 over dy, with those taps of the weight that meet the phase.
template <class Body>
void for_each_phase(const Conv& s, Out dx, In dy, In weight, In bias, const Body& body) {
  const int64_t channels = s.C / s.groups;
  for (int64_t a = 0; a < s.stride_h && a < s.H; ++a) {
    for (int64_t b = 0; b < s.stride_w && b < s.W; ++b) {
      body(Product{
          .gather = {.in = dy.as<float>(),
                     .N = s.N,
                     .H = s.P,
                     .W = s.Q,
                     .C = s.K,
                     .rows = (s.H - a + s.stride_h - 1) / s.stride_h,
                     .columns = (s.W - b + s.stride_w - 1) / s.stride_w,
                     .step_h = 1,
                     .step_w = 1,
                     .vertical = taps_of_phase(a, s.pad_h, s.stride_h, s.dilation_h, s.R),
                     .horizontal = taps_of_phase(b, s.pad_w, s.stride_w, s.dilation_w, s.S)},
          .out = dx.as<float>(),
          .H = s.H,
          .W = s.W,
          .K = s.C,
          .step_h = s.stride_h,
          .step_w = s.stride_w,
          .at_h = a,
          .at_w = b,
          .groups = s.groups,
          .channels = s.K / s.groups,
          .filters = channels,
          .weight = weight.as<float>(),
          .S = s.S,
          .tap_size = channels,
          .row_size = s.R * s.S * channels,
          .filter_first = false,
          .bias = bias.as<float>()});
    }
  }
}

PackedForm form_of_phase(const Conv& s, const Narrow& n, const Product& p) {
  if (n.precision != Precision::f32) return {narrow_numbers(p, n), 0};
  return is_depthwise(s) ? PackedForm{packed_depthwise(p), 0} : packed_form(p);
}

int64_t bytes_of_phase(const Conv& s, const Narrow& n, const Product& p) {
  return form_of_phase(s, n, p).numbers * bytes_of(n.precision);
}

}  // namespace

void conv_backward_data(const Exec& ex, const Conv& s, Out dx, In dy, In weight, In bias) {
  if (!kBaseline && is_pointwise(s)) return pointwise_data(ex, s, dx, dy, weight, bias);
  conv_transposed_fused(ex, s, {}, dx, dy, weight, bias);
}

void conv_transposed_fused(const Exec& ex, const Conv& s, const Epilogue& e, Out dx, In dy,
                           In weight, In bias) {
  const bool narrow = e.narrow.precision != Precision::f32;
  if (narrow || has_fast_form(s)) {
    const Activation act = activation_of(e);
    const std::byte* packed = e.packed ? weight.as<std::byte>() : nullptr;
    for_each_phase(s, dx, dy, weight, bias, [&](Product p) {
      p.packed = reinterpret_cast<const float*>(packed);
      p.residual = e.residual.as<float>();
      p.act = act;
      if (narrow) {
        narrow_windows(ex, p, e.narrow, packed);
      } else {
        is_depthwise(s) ? depthwise_windows(ex, p) : multiply_windows(ex, p);
      }
      if (packed != nullptr) packed += bytes_of_phase(s, e.narrow, p);
    });
    return;
  }
  by_float_type(dx.dtype, [&]<class T>(T) {
    parallel_for(ex, s.N * s.H, 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const T* residual = e.residual.as<T>();
        plain_data_row(s, e, dx.as<T>() + row * s.W * s.C, dy.as<T>() + row / s.H * s.P * s.Q * s.K,
                       weight.as<T>(), bias.as<T>(),
                       residual != nullptr ? residual + row * s.W * s.C : nullptr, row % s.H);
      }
    });
  });
}

void conv_transposed_packed_form(const Exec&, const Conv& s, const Narrow& n, PackedForm& form) {
  form = {s.K * s.R * s.S * (s.C / s.groups), 0};
  if (n.precision == Precision::f32 && !has_fast_form(s)) return;
  form.numbers = 0;
  for_each_phase(s, {}, {}, {}, {}, [&](const Product& p) {
    const PackedForm phase = form_of_phase(s, n, p);
    form = {form.numbers + phase.numbers, form.form * 4 + phase.form};
  });
}

void conv_transposed_pack(const Exec&, const Conv& s, const Narrow& n, Out packed, In weight) {
  const bool narrow = n.precision != Precision::f32;
  if (!narrow && !has_fast_form(s))
    return copy_weight(packed, weight, s.K * s.R * s.S * (s.C / s.groups));
  std::byte* to = packed.as<std::byte>();
  for_each_phase(s, {}, {}, weight, {}, [&](const Product& p) {
    float* numbers = reinterpret_cast<float*>(to);
    if (narrow) {
      pack_narrow(p, n, to);
    } else {
      is_depthwise(s) ? pack_depthwise(p, numbers) : pack_product(p, numbers);
    }
    to += bytes_of_phase(s, n, p);
  });
}

void conv_backward_weight(const Exec& ex, const Conv& s, Out dweight, In x, In dy) {
  if (!kBaseline && s.R <= kMaxTaps && s.S <= kMaxTaps && is_depthwise(s))
    return depthwise_weight(ex, s, dweight.as<float>(), x.as<float>(), dy.as<float>());
  if (!kBaseline && s.R <= kMaxTaps && s.S <= kMaxTaps)
    return weight_by_windows(ex, s, dweight.as<float>(), x.as<float>(), dy.as<float>());
  by_float_type(dweight.dtype, [&]<class T>(T) {
    parallel_for(ex, s.K, 1, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; ++k)
        plain_filter(s, dweight.as<T>() + k * s.R * s.S * (s.C / s.groups), x.as<T>(), dy.as<T>(),
                     k);
    });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
