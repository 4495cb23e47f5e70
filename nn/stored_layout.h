// Between a parameter's own layout and the one of PyTorch checkpoints: weights of convolutions are
// (O, I, kH, kW) there and (O, kH, kW, I) here.
#pragma once

#include "nn/scope.h"

namespace limber {

// The numbers as a checkpoint holds them: a tensor of p.stored_shape, p's own where nothing moves.
Tensor to_stored(const Parameter& p);
// `value` (any tensor of the parameter's own layout: a gradient, a moment) likewise.
Tensor to_stored(const Parameter& p, const Tensor& value);
// Overwrites the parameter. Throws naming it where the extents differ from p.stored_shape.
void load_stored(const Parameter& p, const Tensor& stored);

}  // namespace limber
