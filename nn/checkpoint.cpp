#include "nn/checkpoint.h"

#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {
namespace {

// (O, kH, kW, I) as the four extents of (O, I, kH, kW); (O, 1, k, I) is stored as (O, I, k).
Shape first_to_last(const Shape& value) { return {value[0], value[3], value[1], value[2]}; }

}  // namespace

Tensor stored_value(const Parameter& p) {
  const NoRecord off;
  const Tensor ordered = p.channels_last ? permute(p.value, {0, 3, 1, 2}) : p.value;
  return ordered.clone().alias(p.stored_shape);
}

void set_stored_value(Parameter& p, const Tensor& stored) {
  check(stored.shape() == p.stored_shape, p.name, ": ", stored.shape(), " cannot be ",
        p.stored_shape);
  const NoRecord off;
  const Tensor typed = stored.to(p.value.dtype());
  if (p.channels_last) {
    p.value.copy_from(permute(typed.alias(first_to_last(p.value.shape())), {0, 2, 3, 1}));
  } else {
    p.value.copy_from(typed.alias(p.value.shape()));
  }
}

}  // namespace limber
