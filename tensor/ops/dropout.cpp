#include "tensor/ops/dropout.h"

#include <cmath>

#include "kernels/dropout.h"
#include "tensor/ops.h"
#include "tensor/ops/check.h"
#include "tensor/random.h"

namespace limber {
namespace {

// n bytes, each 0 with probability p. One draw of 64 bits serves two of them, always on the
// calling thread and from the first to the last, so that a seed fixes the mask on every device.
Tensor draw_mask(int64_t n, double p) {
  const DeviceScope on_host({});
  const Tensor mask = Tensor::empty({n}, DType::u8);
  uint8_t* keep = mask.data<uint8_t>();
  const uint64_t threshold = uint64_t(std::llround(std::ldexp(p, 32)));
  Random random = op_random();  // a copy stays in registers
  for (int64_t i = 0; i < n; i += 2) {
    const uint64_t bits = random.next();
    keep[i] = (bits >> 32) >= threshold;
    if (i + 1 < n) keep[i + 1] = (bits & 0xFFFFFFFF) >= threshold;
  }
  op_random() = random;
  return mask;
}

Tensor drop(const Tensor& x, double p, bool training, int64_t masks, const char* name) {
  check(p >= 0 && p <= 1, name, ": the probability must be in [0, 1], not ", p);
  if (!training || p == 0) return x;
  return apply_one(DropoutOp(draw_mask(masks, p).to(x.device()), p < 1 ? 1 / (1 - p) : 0), {x});
}

}  // namespace

std::vector<Spec> DropoutOp::infer(std::span<const Tensor> in) const {
  check_float(in[0], "dropout");
  return {{in[0].shape(), in[0].dtype()}};
}

void DropoutOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                        std::span<const Tensor> out) const {
  if (in[0].numel() == 0) return;
  kernels::masked_scale(ex, out[0].out(), in[0].in(), mask.in(), mask.numel(),
                        in[0].numel() / mask.numel(), scale);
}

Tensor dropout(const Tensor& x, double p, bool training) {
  return drop(x, p, training, x.numel(), "dropout");
}

Tensor drop_path(const Tensor& x, double p, bool training) {
  check(x.rank() > 0, "drop_path: needs samples along dimension 0, got ", x.shape());
  return drop(x, p, training, x.size(0), "drop_path");
}

}  // namespace limber
