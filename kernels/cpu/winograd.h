// Convolutions with fewer multiplications: 3 x 3 and 2 x 2 windows of stride 1 over small tiles of
// the result, after Winograd 1980 and Lavin and Gray 2015 (arXiv 1509.09308).
//
// The transformed weight is several times as large as the weight. Plans make it once; a training
// step has new weights and makes it for input gradients and transposed convolutions, where the
// batch pays for it. A transposed convolution with a 4 x 4 kernel and stride 2 is four such 2 x 2
// ones.
#pragma once

#include "kernels/cpu/conv_dense.h"

namespace limber::kernels::cpu::LIMBER_ISA {

// Of a weight that is packed ahead; form 0: the product should not go this way. It depends on the
// geometry alone, as does the next.
PackedForm winograd_form(const Product& p);

// Whether the product should go this way with a weight that has to be transformed first.
bool winograd_pays(const Product& p);

// As pack_product() and multiply_windows(), for products of another form.
void pack_winograd(const Product& p, float* packed);
void winograd_windows(const Exec& ex, const Product& p);

}  // namespace limber::kernels::cpu::LIMBER_ISA
