// Gradients of normalisation by groups of channels: one sweep for the sums, one for dx.
#include "kernels/cuda/columns.cuh"
#include "kernels/norm.h"

namespace limber::kernels::cuda {
namespace {

// Per sample and channel the sums of dy and of dy (x - mean).
template <class T>
struct GradTerm {
  const T *dy, *x;
  const float* mean;
  NormShape s;
  __device__ void operator()(int64_t n, int64_t row, int64_t c, float* sums) const {
    const int64_t at = (n * s.L + row) * s.C + c;
    const float g = widen(dy[at]);
    sums[0] += g;
    sums[1] += g * (widen(x[at]) - mean[n * s.G + c / (s.C / s.G)]);
  }
};

// sums: (N, 2, C)
__global__ void parameter_grads_kernel(float* dweight, float* dbias, const float* sums,
                                       const float* rstd, NormShape s) {
  for (for_each_item(c, s.C)) {
    float w = 0, b = 0;
    for (int64_t n = 0; n < s.N; ++n) {
      b += sums[n * 2 * s.C + c];
      w += sums[(n * 2 + 1) * s.C + c] * rstd[n * s.G + c / (s.C / s.G)];
    }
    if (dweight != nullptr) dweight[c] = w;
    if (dbias != nullptr) dbias[c] = b;
  }
}

// dx = dy rstd weight + (x - mean) slope + offset: slope and offset of each group.   to: (N G, 2)
__global__ void group_coefficients_kernel(float* to, const float* sums, const float* rstd,
                                          const float* weight, NormShape s, bool fixed) {
  const int64_t D = s.C / s.G;
  for (for_each_item(group, s.N * s.G)) {
    const int64_t n = group / s.G, first = group % s.G * D;
    float a = 0, b = 0;
    for (int64_t c = first; c < first + D; ++c) {
      const float w = weight != nullptr ? weight[c] : 1.0f;
      a += w * sums[n * 2 * s.C + c];
      b += w * sums[(n * 2 + 1) * s.C + c];
    }
    const float r = rstd[group], count = float(D) * float(s.L);
    to[group * 2] = fixed ? 0.0f : -r * r * r * b / count;
    to[group * 2 + 1] = fixed ? 0.0f : -r * a / count;
  }
}

template <class T>
__global__ void norm_grad_kernel(T* dx, const T* dy, const T* x, const float* mean,
                                 const float* rstd, const float* weight, const float* coefficients,
                                 NormShape s) {
  for (for_each_item(at, s.N * s.L * s.C)) {
    const int64_t c = at % s.C, group = at / s.C / s.L * s.G + c / (s.C / s.G);
    const float factor = rstd[group] * (weight != nullptr ? weight[c] : 1.0f);
    dx[at] =
        narrow<T>(widen(dy[at]) * factor + (widen(x[at]) - mean[group]) * coefficients[group * 2] +
                  coefficients[group * 2 + 1]);
  }
}

}  // namespace

void norm_backward(const Exec& ex, Out dx, Out dweight, Out dbias, In dy, In x, In mean, In rstd,
                   In weight, NormShape s, bool fixed) {
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    const Scratch<float> sums(ex, s.N * 2 * s.C);
    column_sums<2>(ex, GradTerm<T>{dy.as<T>(), x.as<T>(), mean.as<float>(), s}, sums.data(), s.N,
                   s.L, s.C);
    if (dweight.data != nullptr || dbias.data != nullptr)
      launch(ex, one_each(s.C), parameter_grads_kernel, dweight.as<float>(), dbias.as<float>(),
             sums.data(), rstd.as<float>(), s);
    if (dx.data == nullptr) return;
    const Scratch<float> coefficients(ex, s.N * s.G * 2);
    launch(ex, one_each(s.N * s.G), group_coefficients_kernel, coefficients.data(), sums.data(),
           rstd.as<float>(), weight.as<float>(), s, fixed);
    launch(ex, one_each(s.N * s.L * s.C), norm_grad_kernel<T>, dx.as<T>(), dy.as<T>(), x.as<T>(),
           mean.as<float>(), rstd.as<float>(), weight.as<float>(), coefficients.data(), s);
  });
}

}  // namespace limber::kernels::cuda
