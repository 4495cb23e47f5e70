// Weights in files: a ParameterStore saved to and loaded from safetensors, by PyTorch's names and
// in PyTorch's layout.
#pragma once

#include "nn/scope.h"

namespace limber {

// A parameter's numbers with the extents and the order a checkpoint has, and back. A copy.
Tensor stored_value(const Parameter& parameter);
void set_stored_value(Parameter& parameter, const Tensor& stored);  // of parameter.stored_shape

}  // namespace limber
