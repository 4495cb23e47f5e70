// One pixel of a crop, for the CPU's kernel and the GPU's.
#pragma once

#include "kernels/crop.h"

namespace limber::kernels {

// Nearest whole number, halves to even, of |v| < 2^51: adding 1.5 2^52 leaves no bits for the rest.
LIMBER_INLINE int32_t to_whole(double v) { return int32_t((v + 0x1.8p52) - 0x1.8p52); }

LIMBER_INLINE int32_t to_fixed_point(double v) {
  v *= 1024;
  return to_whole(v < -1e9 ? -1e9 : v > 1e9 ? 1e9 : v);
}

// (x, y) of the mirrored picture; black outside of it.
LIMBER_INLINE int byte_at(const Crop& crop, const uint8_t* pixels, int64_t x, int64_t y, int c) {
  if (x < 0 || x >= crop.W || y < 0 || y >= crop.H) return 0;
  if (crop.mirrored_x) x = crop.W - 1 - x;
  if (crop.mirrored_y) y = crop.H - 1 - y;
  return pixels[crop.first + (y * crop.W + x) * 3 + c];
}

// B, G, R at (q, p) of the crop. OpenCV's scheme: the position in fixed point (10 bits), of which 5
// bits are kept for the weights.
LIMBER_INLINE void sample_picture(const Crop& crop, const uint8_t* pixels, int64_t q, int64_t p,
                                  uint8_t* bgr) {
  const double* m = crop.m;
  const int32_t at_x =
      (to_fixed_point(m[1] * double(p) + m[2]) + 16 + to_fixed_point(m[0] * double(q))) >> 5;
  const int32_t at_y =
      (to_fixed_point(m[4] * double(p) + m[5]) + 16 + to_fixed_point(m[3] * double(q))) >> 5;
  const int64_t x = at_x >> 5, y = at_y >> 5;
  const int u = at_x & 31, v = at_y & 31;
  for (int c = 0; c < 3; ++c) {
    const int upper =
        (32 - u) * byte_at(crop, pixels, x, y, c) + u * byte_at(crop, pixels, x + 1, y, c);
    const int lower =
        (32 - u) * byte_at(crop, pixels, x, y + 1, c) + u * byte_at(crop, pixels, x + 1, y + 1, c);
    bgr[c] = uint8_t(((32 - v) * upper + v * lower + 512) >> 10);
  }
}

// value * alpha + beta, clipped, cut to a byte.
LIMBER_INLINE uint8_t scaled_byte(uint8_t value, float alpha, float beta) {
  const float v = float(value) * alpha + beta;
  return uint8_t(v < 0 ? 0.0f : v > 255 ? 255.0f : v);
}

// B, G, R to hue in [0, 180), saturation and value, by divisions in 12-bit fixed point.
LIMBER_INLINE void to_hsv(uint8_t* pixel) {
  const int b = pixel[0], g = pixel[1], r = pixel[2];
  const int top = b > g ? (b > r ? b : r) : (g > r ? g : r);
  const int bottom = b < g ? (b < r ? b : r) : (g < r ? g : r);
  const int range = top - bottom;
  const int sector = top == r ? g - b : top == g ? b - r + 2 * range : r - g + 4 * range;
  const int per_range = range == 0 ? 0 : to_whole((180 << 12) / (6.0 * range));
  const int per_top = top == 0 ? 0 : to_whole((255 << 12) / double(top));
  const int hue = (sector * per_range + (1 << 11)) >> 12;
  pixel[0] = uint8_t(hue + (hue < 0 ? 180 : 0));
  pixel[1] = uint8_t((range * per_top + (1 << 11)) >> 12);
  pixel[2] = uint8_t(top);
}

LIMBER_INLINE void from_hsv(uint8_t* pixel) {
  const float s = float(pixel[1]) * (1.0f / 255), v = float(pixel[2]) * (1.0f / 255);
  float h = float(pixel[0]) * (6.0f / 180);
  const int whole = int(h);
  h -= float(whole);
  const float low = v * (1 - s), falling = v * (1 - s * h), rising = v * (1 - s * (1 - h));
  float b = v, g = v, r = v;
  switch (whole % 6) {
    case 0:
      b = low, g = rising;
      break;
    case 1:
      b = low, r = falling;
      break;
    case 2:
      b = rising, r = low;
      break;
    case 3:
      g = falling, r = low;
      break;
    case 4:
      g = low, r = rising;
      break;
    default:
      b = falling, g = low;
  }
  pixel[0] = uint8_t(b * 255), pixel[1] = uint8_t(g * 255), pixel[2] = uint8_t(r * 255);
}

LIMBER_INLINE void change_colours(const Colours& colours, uint8_t* pixel) {
  for (int c = 0; c < 3; ++c) {
    if (colours.changes_brightness) pixel[c] = scaled_byte(pixel[c], 1, colours.brightness);
    if (colours.changes_contrast) pixel[c] = scaled_byte(pixel[c], colours.contrast, 0);
  }
  if (colours.changes_saturation || colours.changes_hue) {
    to_hsv(pixel);
    if (colours.changes_saturation) pixel[1] = scaled_byte(pixel[1], colours.saturation, 0);
    if (colours.changes_hue) pixel[0] = uint8_t(pixel[0] + colours.hue);
    from_hsv(pixel);
  }
  if (colours.changes_contrast)
    for (int c = 0; c < 3; ++c) pixel[c] = scaled_byte(pixel[c], colours.contrast, 0);
  if (colours.swaps_channels) {
    const uint8_t old[3] = {pixel[0], pixel[1], pixel[2]};
    for (int c = 0; c < 3; ++c) pixel[c] = old[colours.channels[c]];
  }
}

// The three results of pixel (q, p).
LIMBER_INLINE void crop_pixel(float* y, const Crop& crop, const uint8_t* pixels, int64_t q,
                              int64_t p, const Normalisation& norm) {
  uint8_t pixel[3];
  sample_picture(crop, pixels, q, p, pixel);
  change_colours(crop.colours, pixel);
  for (int c = 0; c < 3; ++c)
    y[c] = (float(pixel[norm.swaps ? 2 - c : c]) - norm.mean[c]) * norm.inverse_std[c];
}

}  // namespace limber::kernels
