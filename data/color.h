// Colour spaces and small filters of u8 images (H, W, 3), channels B, G, R, with OpenCV's numbers.
#pragma once

#include "tensor/tensor.h"

namespace limber {

// Hue in [0, 180), saturation and value in [0, 255].
Tensor bgr_to_hsv(const Tensor& bgr);
Tensor hsv_to_bgr(const Tensor& hsv);

// Mean and median over a k x k window; k odd. Edges mirror without repeating the edge pixel for the
// mean and repeat it for the median.
Tensor box_blur(const Tensor& image, int k);
Tensor median_blur(const Tensor& image, int k);
// sigma <= 0: 0.3 * ((k - 1) * 0.5 - 1) + 0.8.
Tensor gaussian_blur(const Tensor& image, int k, double sigma);

}  // namespace limber
