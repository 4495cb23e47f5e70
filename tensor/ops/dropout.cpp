#include "tensor/ops/dropout.h"

#include <cmath>

#include "kernels/dropout.h"
#include "tensor/capture.h"
#include "tensor/ops.h"
#include "tensor/ops/check.h"
#include "tensor/random.h"

namespace limber {
namespace {

// A mask of bytes, each 0 with probability p. One draw of 64 bits serves two of them, always on the
// calling thread and from the first to the last, so that a seed fixes the mask on every device.
void draw_mask(const Tensor& mask, double p) {
  const int64_t n = mask.numel();
  uint8_t* keep = mask.data<uint8_t>();
  const uint64_t threshold = uint64_t(std::llround(std::ldexp(p, 32)));
  Random random = op_random();  // a copy stays in registers
  for (int64_t i = 0; i < n; i += 2) {
    const uint64_t bits = random.next();
    keep[i] = (bits >> 32) >= threshold;
    if (i + 1 < n) keep[i + 1] = (bits & 0xFFFFFFFF) >= threshold;
  }
  op_random() = random;
}

Tensor drop(const Tensor& x, double p, bool training, int64_t masks, const char* name) {
  check(p >= 0 && p <= 1, name, ": the probability must be in [0, 1], not ", p);
  if (!training || p == 0) return x;
  const Tensor mask = fed({masks}, DType::u8, [p](const Tensor& host) { draw_mask(host, p); });
  return apply_one(DropoutOp(mask.to(x.device()), p < 1 ? 1 / (1 - p) : 0), {x});
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
