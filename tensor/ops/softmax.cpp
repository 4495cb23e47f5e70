#include "tensor/ops/softmax.h"

#include "kernels/softmax.h"
#include "tensor/ops.h"
#include "tensor/ops/check.h"

namespace limber {
namespace {

std::vector<Spec> infer_rows(std::span<const Tensor> in, const char* op) {
  check_float(in[0], op);
  check(in[0].rank() >= 1 && in[0].size(-1) > 0, op, ": nothing along the last dimension of ",
        in[0].shape());
  return {{in[0].shape(), in[0].dtype()}};
}

}  // namespace

std::vector<Spec> SoftmaxOp::infer(std::span<const Tensor> in) const {
  return infer_rows(in, "softmax");
}

void SoftmaxOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                        std::span<const Tensor> out) const {
  kernels::softmax_forward(ex, out[0].out(), in[0].in(), in[0].shape().outer(-1), in[0].size(-1));
}

std::vector<Spec> LogSoftmaxOp::infer(std::span<const Tensor> in) const {
  return infer_rows(in, "log_softmax");
}

void LogSoftmaxOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                           std::span<const Tensor> out) const {
  kernels::log_softmax_forward(ex, out[0].out(), in[0].in(), in[0].shape().outer(-1),
                               in[0].size(-1));
}

Tensor softmax(const Tensor& x) { return apply_one(SoftmaxOp(), {x}); }
Tensor log_softmax(const Tensor& x) { return apply_one(LogSoftmaxOp(), {x}); }

}  // namespace limber
