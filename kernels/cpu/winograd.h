// Convolutions with fewer multiplications: 3 x 3 and 2 x 2 windows of stride 1 over small tiles of
// the result, after Winograd 1980 and Lavin and Gray 2015 (arXiv 1509.09308).
//
// For plans only: the transformed weight is several times as large as the weight, and pays where it
// is made once. A transposed convolution with a 4 x 4 kernel and stride 2 is four such 2 x 2 ones.
#pragma once

#include "kernels/cpu/conv_dense.h"

namespace limber::kernels::cpu::LIMBER_ISA {

// Form 0: the product should not go this way. It depends on the geometry alone.
PackedForm winograd_form(const Product& p);

// As pack_product() and multiply_windows(), for products of another form.
void pack_winograd(const Product& p, float* packed);
void winograd_windows(const Exec& ex, const Product& p);

}  // namespace limber::kernels::cpu::LIMBER_ISA
