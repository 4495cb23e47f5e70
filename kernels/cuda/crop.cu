// Crops of pictures: one thread per pixel, which reads four of the picture's.
#include "kernels/crop.h"

#include "kernels/crop_pixel.h"
#include "kernels/cuda/launch.cuh"

namespace limber::kernels::cuda {
namespace {

__global__ void crop_kernel(float* y, const uint8_t* pixels, const Crop* crops, int64_t P,
                            int64_t Q, Normalisation norm, int64_t n) {
  for (for_each_item(i, n))
    crop_pixel(y + 3 * i, crops[i / (P * Q)], pixels, i % Q, i / Q % P, norm);
}

}  // namespace

void crop_images(const Exec& ex, Out y, In pixels, In crops, int64_t N, int64_t P, int64_t Q,
                 const Normalisation& norm) {
  launch(ex, one_each(N * P * Q), crop_kernel, y.as<float>(), pixels.as<uint8_t>(),
         crops.as<Crop>(), P, Q, norm, N * P * Q);
}

}  // namespace limber::kernels::cuda
