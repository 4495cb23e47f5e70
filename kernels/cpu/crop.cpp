// Crops of pictures, pixel by pixel: the form that the GPU's kernel is compared with. The loader
// has a faster one for single pictures, data/warp.cpp.
#include "kernels/crop.h"

#include "kernels/crop_pixel.h"

namespace limber::kernels::cpu::LIMBER_ISA {

void crop_images(const Exec& ex, Out y, In pixels, In crops, int64_t N, int64_t P, int64_t Q,
                 const Normalisation& norm) {
  parallel_for(ex, N * P, 16, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const Crop& crop = crops.as<Crop>()[row / P];
      float* out = y.as<float>() + row * Q * 3;
      for (int64_t q = 0; q < Q; ++q)
        crop_pixel(out + 3 * q, crop, pixels.as<uint8_t>(), q, row % P, norm);
    }
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
