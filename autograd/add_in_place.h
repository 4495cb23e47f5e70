// Sums of gradients that stay where they are.
#pragma once

#include "tensor/tensor.h"

namespace limber {

// total += term where `total` lies, unrecorded; both of one shape and type.
void add_in_place(const Tensor& total, const Tensor& term);

}  // namespace limber
