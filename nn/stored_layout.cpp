#include "nn/stored_layout.h"

#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {
namespace {

// (O, I, k...) and (O, k..., I): the second dimension moves to the end, or back.
Tensor moved(const Tensor& t, int from, int to) {
  std::vector<int> order;
  for (int d = 0; d < t.rank(); ++d)
    if (d != from) order.push_back(d);
  order.insert(order.begin() + to, from);
  return permute(t, order);
}

// The extents by which a weight's channels move.
const Shape& moving(const Parameter& p) {
  return p.unfolded.rank() > 0 ? p.unfolded : p.stored_shape;
}

}  // namespace

Tensor to_stored(const Parameter& p) { return to_stored(p, p.value); }

Tensor to_stored(const Parameter& p, const Tensor& value) {
  const NoRecord no_record;
  if (!p.channels_last) return value.alias(p.stored_shape);
  const Shape& first = moving(p);
  Shape last = first;
  for (int d = 1; d + 1 < last.rank(); ++d) last = last.with(d, first[d + 1]);
  last = last.with(-1, first[1]);
  return moved(value.alias(last), last.rank() - 1, 1).alias(p.stored_shape);
}

void load_stored(const Parameter& p, const Tensor& stored) {
  const NoRecord no_record;
  check(stored.shape() == p.stored_shape, p.name, ": shape ", stored.shape(), " in the file, ",
        p.stored_shape, " in the model");
  const Tensor typed = stored.to(p.value.dtype());
  const Shape& first = moving(p);
  const Tensor own = p.channels_last ? moved(typed.alias(first), 1, first.rank() - 1) : typed;
  Tensor value = p.value;
  value.copy_from(own.alias(value.shape()));
}

}  // namespace limber
