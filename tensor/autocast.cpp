#include "tensor/autocast.h"

#include <algorithm>

#include "tensor/ops/cast.h"
#include "tensor/ops/elementwise.h"

namespace limber {
namespace {

thread_local DType low_type = DType::f32;

AutocastClass class_of_unary(kernels::Unary f) {
  switch (f) {
    case kernels::Unary::exp:
    case kernels::Unary::log:
    case kernels::Unary::log1p:
    case kernels::Unary::power:
    case kernels::Unary::square:
    case kernels::Unary::reciprocal:
    case kernels::Unary::softplus:
      return AutocastClass::full;
    default:
      return AutocastClass::widest;
  }
}

AutocastClass class_of(const Op& op) {
  static constexpr AutocastClass classes[] = {
#define LIMBER_OP(name, autocast) AutocastClass::autocast,
#include "tensor/ops.def"
#undef LIMBER_OP
  };
  const AutocastClass of_row = classes[static_cast<int>(op.kind())];
  if (of_row != AutocastClass::by_function) return of_row;
  if (op.kind() == OpKind::Unary) return class_of_unary(static_cast<const UnaryOp&>(op).args.f);
  return static_cast<const BinaryOp&>(op).f == kernels::Binary::power ? AutocastClass::full
                                                                      : AutocastClass::widest;
}

bool is_cast(const Tensor& t) {
  return t.defined() && t.device().is_cuda() &&
         (t.dtype() == DType::f32 || t.dtype() == DType::f16 || t.dtype() == DType::bf16);
}

}  // namespace

Autocast::Autocast(DType low) : outer_(low_type) {
  check(low == DType::f32 || low == DType::f16 || low == DType::bf16,
        "autocast: to f16 or bf16, not ", low);
  low_type = low;
}
Autocast::~Autocast() { low_type = outer_; }

bool autocasts() { return low_type != DType::f32; }
bool autocasts(const Tensor& t) { return autocasts() && is_cast(t); }

std::optional<DType> autocast_type(const Op& op, DType low, bool wide) {
  const AutocastClass how = class_of(op);
  if (how == AutocastClass::as_given) return std::nullopt;
  if (how == AutocastClass::low) return low;
  return how == AutocastClass::full || wide ? DType::f32 : low;
}

std::vector<Tensor> autocast(const Op& op, std::span<const Tensor> inputs) {
  std::vector<Tensor> cast(inputs.begin(), inputs.end());
  const bool wide = std::ranges::any_of(
      inputs, [](const Tensor& t) { return is_cast(t) && t.dtype() == DType::f32; });
  const std::optional<DType> to = autocast_type(op, low_type, wide);
  if (!to) return cast;
  for (Tensor& t : cast)
    if (is_cast(t) && t.dtype() != *to) t = apply_one(CastOp(t.dtype(), *to), {t});
  return cast;
}

}  // namespace limber
