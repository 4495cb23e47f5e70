#include "data/transforms/color.h"

#include <algorithm>

#include "data/color.h"
#include "data/image.h"
#include "pose/core/image_recipe.h"

namespace limber {
namespace {

// value * alpha + beta in f32, clipped, cut to a byte; by table, for every `step`-th byte.
void convert(const Tensor& image, double alpha, double beta, int64_t first = 0, int64_t step = 1) {
  std::array<uint8_t, 256> table;
  for (size_t v = 0; v < 256; ++v)
    table[v] = uint8_t(std::clamp(float(v) * float(alpha) + float(beta), 0.0f, 255.0f));
  uint8_t* p = image.data<uint8_t>();
  for (int64_t i = first; i < image.numel(); i += step) p[i] = table[p[i]];
}

}  // namespace

PhotometricDistortion::PhotometricDistortion(const Config& config)
    : brightness_delta_(config.get<double>("brightness_delta", 32)),
      contrast_range_(config.get<std::array<double, 2>>("contrast_range", {0.5, 1.5})),
      saturation_range_(config.get<std::array<double, 2>>("saturation_range", {0.5, 1.5})),
      hue_delta_(config.get<int>("hue_delta", 18)) {}

PhotometricDistortion::Draw PhotometricDistortion::draw(Random& random) const {
  Draw d;
  const bool contrast_mode = random.integer(0, 2) == 1;
  d.change_brightness = random.integer(0, 2) == 1;
  d.change_contrast = random.integer(0, 2) == 1 && contrast_mode;
  const int64_t mode = random.integer(0, 4);
  d.change_saturation = mode == 1 || mode == 3;
  d.change_hue = mode == 2 || mode == 3;
  d.swap_channels = random.integer(0, 2) == 1;
  d.brightness = random.uniform(-brightness_delta_, brightness_delta_);
  d.contrast = random.uniform(contrast_range_[0], contrast_range_[1]);
  d.saturation = random.uniform(saturation_range_[0], saturation_range_[1]);
  d.hue = hue_delta_ > 0 ? int(random.integer(-hue_delta_, hue_delta_)) : 0;
  for (int i = 2; i > 0; --i)
    std::swap(d.channels[size_t(i)], d.channels[size_t(random.integer(0, i + 1))]);
  return d;
}

void PhotometricDistortion::carry_out(Sample& sample, const Draw& d) const {
  if (sample.recipe != nullptr) {
    sample.recipe->colours = {
        d.change_brightness,
        d.change_contrast,
        d.change_saturation,
        d.change_hue,
        d.swap_channels,
        float(d.brightness),
        float(d.contrast),
        float(d.saturation),
        d.hue,
        {uint8_t(d.channels[0]), uint8_t(d.channels[1]), uint8_t(d.channels[2])}};
    return;
  }
  Tensor img = sample.img.clone();
  check_image(img, "PhotometricDistortion");
  if (d.change_brightness) convert(img, 1, d.brightness);
  if (d.change_contrast) convert(img, d.contrast, 0);
  if (d.change_saturation || d.change_hue) {
    img = bgr_to_hsv(img);
    if (d.change_saturation) convert(img, d.saturation, 0, 1, 3);
    if (d.change_hue) {
      uint8_t* p = img.data<uint8_t>();
      // The reference adds in bytes, so that a hue below zero comes out near 256 instead of 180.
      for (int64_t i = 0; i < img.numel(); i += 3) p[i] = uint8_t(p[i] + d.hue);
    }
    img = hsv_to_bgr(img);
  }
  if (d.change_contrast) convert(img, d.contrast, 0);
  if (d.swap_channels) {
    uint8_t* p = img.data<uint8_t>();
    for (int64_t i = 0; i < img.numel(); i += 3) {
      const uint8_t old[3] = {p[i], p[i + 1], p[i + 2]};
      for (int64_t c = 0; c < 3; ++c) p[i + c] = old[d.channels[size_t(c)]];
    }
  }
  sample.img = img;
}

bool PhotometricDistortion::apply(Sample& sample, Random& random) const {
  carry_out(sample, draw(random));
  return true;
}

YOLOXHSVRandomAug::YOLOXHSVRandomAug(const Config& config)
    : deltas_{config.get<double>("hue_delta", 5), config.get<double>("saturation_delta", 30),
              config.get<double>("value_delta", 30)} {}

YOLOXHSVRandomAug::Gains YOLOXHSVRandomAug::draw(Random& random) const {
  double drawn[3];
  for (size_t c = 0; c < 3; ++c) drawn[c] = random.uniform(-1, 1) * deltas_[c];
  Gains gains;
  for (size_t c = 0; c < 3; ++c) gains[c] = random.integer(0, 2) == 1 ? int(drawn[c]) : 0;
  return gains;
}

void YOLOXHSVRandomAug::carry_out(Sample& sample, const Gains& gains) const {
  const Tensor hsv = bgr_to_hsv(sample.img);
  uint8_t* p = hsv.data<uint8_t>();
  for (int64_t i = 0; i < hsv.numel(); i += 3) {
    p[i] = uint8_t(((p[i] + gains[0]) % 180 + 180) % 180);
    p[i + 1] = uint8_t(std::clamp(p[i + 1] + gains[1], 0, 255));
    p[i + 2] = uint8_t(std::clamp(p[i + 2] + gains[2], 0, 255));
  }
  sample.img = hsv_to_bgr(hsv);
}

bool YOLOXHSVRandomAug::apply(Sample& sample, Random& random) const {
  carry_out(sample, draw(random));
  return true;
}

}  // namespace limber
