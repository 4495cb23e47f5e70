#include "nn/flops.h"

namespace limber {
namespace {

// Multiply-adds of one result: the extents that are summed over.
int64_t products_of(OpKind kind, std::span<const Tensor> in, const Tensor& out) {
  switch (kind) {
    case OpKind::Conv2d:  // weight (O, kH, kW, C / groups)
      return out.numel() * (in[1].numel() / in[1].size(0));
    case OpKind::ConvTranspose2d:  // weight (C, kH, kW, O / groups)
      return in[0].numel() * (in[1].numel() / in[1].size(0));
    case OpKind::DeformConv2d:  // as above, and the bilinear reading of every tap
      return out.numel() * (in[2].numel() / in[2].size(0)) + in[1].numel() / 2 * 4;
    case OpKind::Linear:
      return out.numel() * in[0].size(-1);
    case OpKind::MatMul:
      // a holds M K numbers a matrix, the result M N: K = numel(a) / M whichever way a is stored.
      return out.numel() / out.size(-2) * (in[0].numel() / in[0].shape().outer(-2));
    case OpKind::Attention:  // q k^T and the product with v
      return in[0].numel() * in[1].size(-2) + out.numel() * in[1].size(-2);
    case OpKind::MultiScaleDeformAttn:  // four pixels a point, and the weights (N, Q, M, L, P)
      return 4 * in[2].numel() * out.size(-1);
    default:
      return 0;
  }
}

}  // namespace

void FlopCounter::record(const std::shared_ptr<const Op>& op, std::span<const Tensor> in,
                         std::span<const Tensor> out) {
  ++ops_;
  if (out[0].numel() == 0) return;
  const int64_t products = products_of(op->kind(), in, out[0]);
  products_ += products;
  if (products == 0 && !op->view(in).defined()) elementwise_ += out[0].numel();
}

}  // namespace limber
