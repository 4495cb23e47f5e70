// Crops of pictures as they were decoded, with their colours changed and normalised: what the
// loader's threads do one by one, for a whole batch on the model's device.
//
// Bytes are computed as data/warp.cpp and data/transforms/color.cpp do, to the last bit, so these
// kernels are compiled without fused multiply-add.
#pragma once

#include "kernels/kernel.h"

namespace limber::kernels {

// SSD's changes of colour (Liu et al. 2016, arXiv 1512.02325), in the order of the members; the
// contrast changes once more behind the hue.
struct Colours {
  bool changes_brightness = false, changes_contrast = false;
  bool changes_saturation = false, changes_hue = false, swaps_channels = false;
  float brightness = 0, contrast = 1, saturation = 1;
  int32_t hue = 0;
  uint8_t channels[3]{0, 1, 2};  // where each one comes from
};

struct Crop {
  int64_t first = 0;     // where its picture begins among the bytes
  int64_t H = 0, W = 0;  // of the picture, three bytes a pixel
  // The picture's (x, y) = m (x, y, 1) of the crop's; the picture is mirrored before.
  double m[6]{1, 0, 0, 0, 1, 0};
  bool mirrored_x = false, mirrored_y = false;
  Colours colours;
};

struct Normalisation {
  float mean[3]{0, 0, 0}, inverse_std[3]{1, 1, 1};  // of the channels as they come out
  bool swaps = false;                               // their order is reversed
};

// y[n, p, q, c] = (byte c of crop n at (q, p) - mean[c]) inverse_std[c]; bilinear, with weights of
// 1/32 pixel as OpenCV has them, black outside of the picture.
// y: f32 (N, P, Q, 3), pixels: u8, crops: N structs Crop where y lies.
LIMBER_KERNEL(crop_images, Out y, In pixels, In crops, int64_t N, int64_t P, int64_t Q,
              const Normalisation& norm)

}  // namespace limber::kernels
