// What a convolution does to each sum on its way to memory: the Epilogue of kernels/conv.h on the
// GPU, with the bias.
#pragma once

#include "kernels/conv.h"
#include "kernels/cuda/unary.cuh"

namespace limber::kernels::cuda {

// f(x) for the functions that kernels::fuses().
__device__ inline float activated(const UnaryArgs& act, float x) {
  const float a = float(act.a), b = float(act.b);
  switch (act.f) {
    case Unary::relu:
      return Relu{a, b}.value(x);
    case Unary::relu6:
      return Relu6{a, b}.value(x);
    case Unary::leaky_relu:
      return LeakyRelu{a, b}.value(x);
    case Unary::clamp:
      return Clamp{a, b}.value(x);
    case Unary::silu:
      return Silu{a, b}.value(x);
    case Unary::gelu:
      return Gelu{a, b}.value(x);
    case Unary::sigmoid:
      return Sigmoid{a, b}.value(x);
    case Unary::tanh:
      return Tanh{a, b}.value(x);
    case Unary::hard_swish:
      return HardSwish{a, b}.value(x);
    case Unary::hard_sigmoid:
      return HardSigmoid{a, b}.value(x);
    default:
      return x;
  }
}

// Result `at` of a channel from its sum. The residual may be the result's memory: one thread reads
// and writes each element.
template <class T>
struct Finish {
  const T* bias;
  const T* residual;
  bool acts;
  UnaryArgs act;

  Finish(const Epilogue& e, In bias_of_channels)
      : bias(bias_of_channels.as<T>()), residual(e.residual.as<T>()), acts(e.acts), act(e.act) {}
  __device__ T operator()(float sum, int64_t at, int64_t channel) const {
    if (bias != nullptr) sum += widen(bias[channel]);
    if (residual != nullptr) sum += widen(residual[at]);
    return narrow<T>(acts ? activated(act, sum) : sum);
  }
};

template <class T>
__global__ void finish_kernel(T* y, const T* sums, Finish<T> finish, int64_t elements) {
  for (for_each_item(at, elements)) y[at] = finish(widen(sums[at]), at, 0);
}

// A convolution that a library computes (`by_library(out)`: whether it did, bias included), with
// the epilogue as a pass of its own. Whether it is done.
template <class ByLibrary>
bool conv_by_library(const Exec& ex, const Epilogue& e, Out y, int64_t elements,
                     const ByLibrary& by_library) {
  if (!e.acts && e.residual.data == nullptr) return by_library(y);
  // The sums must not overwrite a residual that lies in y.
  const bool in_place = e.residual.data == y.data;
  const Scratch<uint8_t> own(ex, in_place ? elements * int64_t(size_of(y.dtype)) : 0);
  const Out sums = in_place ? Out{own.data(), y.dtype} : y;
  if (!by_library(sums)) return false;
  by_float_type(ex, y.dtype, [&]<class T>(T) {
    launch(ex, one_each(elements), finish_kernel<T>, y.as<T>(), sums.as<T>(), Finish<T>(e, {}),
           elements);
  });
  return true;
}

}  // namespace limber::kernels::cuda
