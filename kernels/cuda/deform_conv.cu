// Deformable convolution, forward: an implicit matrix product whose left operand is interpolated.
#include "kernels/cuda/deform_conv.cuh"

#include "kernels/cuda/conv_product.cuh"

namespace limber::kernels::cuda {

void deform_conv_forward(const Exec& ex, const DeformConv& d, Out y, In x, In offset, In weight,
                         In bias) {
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    const DeformedPatches<T> patches{d, x.as<T>(), offset.as<T>()};
    tile_product(ex,
                 ForwardProduct(d.conv, patches, y.as<T>(), weight.as<T>(), Finish<T>({}, bias)));
  });
}

}  // namespace limber::kernels::cuda
