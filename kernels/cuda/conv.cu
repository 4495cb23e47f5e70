// Convolution, forward: depthwise directly, 1 x 1 as a matrix product, all others by cuDNN where
// the build has it and by an implicit matrix product of our own elsewhere. With a residual or an
// activation cuDNN is asked first for all of it in one kernel.
#include "kernels/conv.h"

#include "kernels/cuda/conv_product.cuh"
#include "kernels/cuda/cudnn_conv.h"
#include "kernels/cuda/depthwise.cuh"
#include "kernels/cuda/epilogue.cuh"
#include "kernels/gemm.h"

namespace limber::kernels::cuda {

void conv_fused(const Exec& ex, const Conv& s, const Epilogue& e, Out y, In x, In weight, In bias) {
  const int64_t elements = s.N * s.P * s.Q * s.K;
  if (elements == 0) return;
  if (is_depthwise(s)) return depthwise_forward(ex, s, e, y, x, weight, bias);
  const bool plain = !e.acts && e.residual.data == nullptr;
  if (!plain && cudnn_conv_forward(ex, s, e, y, x, weight, bias)) return;
  const auto by_library = [&](Out sums) {
    if (!is_pointwise(s)) return cudnn_conv_forward(ex, s, {}, sums, x, weight, bias);
    Gemm g;
    g.trans_b = true;
    g.M = s.N * s.P * s.Q, g.N = s.K, g.K = s.C;
    g.lda = g.ldb = s.C, g.ldc = s.K;
    g.bias = bias;
    gemm(ex, g, sums, x, weight);
    return true;
  };
  if (conv_by_library(ex, e, y, elements, by_library)) return;
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    const Patches<T> patches{s, x.as<T>()};
    tile_product(ex, ForwardProduct(s, patches, y.as<T>(), weight.as<T>(), Finish<T>(e, bias)));
  });
}

void conv_forward(const Exec& ex, const Conv& s, Out y, In x, In weight, In bias) {
  conv_fused(ex, s, {}, y, x, weight, bias);
}

}  // namespace limber::kernels::cuda
