#include "tensor/ops/cast.h"

#include "kernels/copy.h"

namespace limber {

std::vector<Spec> CastOp::infer(std::span<const Tensor> in) const {
  check(in[0].dtype() == from && is_float(from) && is_float(to), "cast: from ", from, " to ", to,
        " of ", in[0].dtype(), " ", in[0].shape());
  return {{in[0].shape(), to}};
}

void CastOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                     std::span<const Tensor> out) const {
  if (in[0].numel() > 0) kernels::convert(ex, out[0].out(), in[0].in(), in[0].numel());
}

}  // namespace limber
