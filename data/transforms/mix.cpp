#include "data/transforms/mix.h"

#include <algorithm>

#include "data/dataset.h"
#include "pose/core/bbox.h"
#include "pose/core/keypoint.h"

namespace limber {
namespace {

// p -> p * scale + (dx, dy) for boxes, points and area.
void move_instances(Sample& sample, double scale, double dx, double dy) {
  const Matrix33 m{scale, 0, dx, 0, scale, dy, 0, 0, 1};
  if (sample.bbox.defined()) sample.bbox = corners_bbox(transformed(m, bbox_corners(sample.bbox)));
  if (sample.keypoints.defined()) sample.keypoints = transformed(m, sample.keypoints);
  if (sample.area.defined()) {
    sample.area = sample.area.clone();
    for (float& a : sample.area.span<float>()) a = float(a * scale * scale);
  }
}

void clip_instances(Sample& sample, const std::array<int, 2>& size) {
  if (sample.bbox.defined()) sample.bbox = clip_bbox(sample.bbox, size);
  if (sample.keypoints.defined() && sample.keypoints_visible.defined())
    sample.keypoints_visible = visible_inside({sample.keypoints, sample.keypoints_visible}, size);
}

Tensor cut_to_bytes(const Tensor& image) {
  Tensor out = Tensor::empty(image.shape(), DType::u8);
  for (int64_t i = 0; i < image.numel(); ++i)
    out.data<uint8_t>()[i] = uint8_t(image.data<float>()[i]);
  return out;
}

Sample drawn_sample(const Sample& sample, const Pipeline& pre, Random& random) {
  check(sample.source != nullptr, "mixing transforms need a data set to draw from");
  for (int attempt = 0; attempt < 15; ++attempt) {
    Sample other = sample.source->raw_sample(random.integer(0, sample.source->size()), random);
    if (pre.apply(other, random) && other.img.defined()) return other;
  }
  fail_input(sample.meta.img_path, ": found no second image to mix with in 15 attempts");
}

}  // namespace

Mosaic::Mosaic(const Config& config)
    : img_scale_(config.get<std::array<int, 2>>("img_scale", {640, 640})),
      center_range_(config.get<std::array<double, 2>>("center_range", {0.5, 1.5})),
      pad_(config.get<double>("pad_val", 114)),
      prob_(config.get<double>("prob", 1)),
      pre_(config.find("pre_transform")) {}

void Mosaic::carry_out(Sample& sample, const std::vector<Sample>& others,
                       const Point& center) const {
  const std::array<int, 2> canvas{2 * img_scale_[0], 2 * img_scale_[1]};
  const int cx = int(center[0] * img_scale_[0]), cy = int(center[1] * img_scale_[1]);
  Tensor image = blank_image(canvas, 3, {pad_, pad_, pad_, pad_});
  Sample all;
  for (size_t i = 0; i < 4; ++i) {
    Sample part = i == 0 ? sample : others[i - 1];
    const auto [w, h] = part.image_size();
    const double ratio = std::min(double(img_scale_[1]) / h, double(img_scale_[0]) / w);
    const Tensor small = resize_image(part.img, {int(w * ratio), int(h * ratio)});
    // Upper left, upper right, lower left, lower right: each touches the centre.
    const int x = i % 2 == 0 ? cx - int(small.size(1)) : cx;
    const int y = i < 2 ? cy - int(small.size(0)) : cy;
    paste_image(small, image, x, y);
    move_instances(part, ratio, x, y);
    if (i == 0)
      all = part;
    else
      append_instances(all, part);
  }
  clip_instances(all, canvas);
  all.img = image;
  all.meta.img_shape = {canvas[1], canvas[0]};
  sample = std::move(all);
}

bool Mosaic::apply(Sample& sample, Random& random) const {
  if (!random.chance(prob_)) return true;
  std::vector<Sample> others;
  for (int i = 0; i < 3; ++i) others.push_back(drawn_sample(sample, pre_, random));
  const double x = random.uniform(center_range_[0], center_range_[1]);
  const double y = random.uniform(center_range_[0], center_range_[1]);
  carry_out(sample, others, {x, y});
  return true;
}

YOLOXMixUp::YOLOXMixUp(const Config& config)
    : img_scale_(config.get<std::array<int, 2>>("img_scale", {640, 640})),
      ratio_range_(config.get<std::array<double, 2>>("ratio_range", {0.5, 1.5})),
      flip_ratio_(config.get<double>("flip_ratio", 0.5)),
      pad_(config.get<double>("pad_val", 114)),
      prob_(config.get<double>("prob", 1)),
      clip_(config.get<bool>("bbox_clip_border", true)),
      pre_(config.find("pre_transform")) {}

void YOLOXMixUp::carry_out(Sample& sample, const Sample& other, const Draw& draw) const {
  const Border grey{pad_, pad_, pad_, pad_};
  Sample part = other;
  const auto [w, h] = part.image_size();
  const double fit = std::min(double(img_scale_[1]) / h, double(img_scale_[0]) / w);
  Tensor image = blank_image(img_scale_, 3, grey);
  paste_image(resize_image(part.img, {int(w * fit), int(h * fit)}), image, 0, 0);
  // The reference's canvas is of floats by accident, so the second resizing cuts where the first
  // rounds.
  image = cut_to_bytes(resize_image(
      image.to(DType::f32), {int(img_scale_[0] * draw.jitter), int(img_scale_[1] * draw.jitter)}));
  if (draw.flip) image = flip_image(image, FlipDirection::horizontal);
  const std::array<int, 2> size{int(image.size(1)), int(image.size(0))};
  const std::array<int, 2> target = sample.image_size();
  const std::array<int, 2> room{std::max(size[0], target[0]), std::max(size[1], target[1])};
  const int x = int(draw.crop_x % (room[0] - target[0] + 1));
  const int y = int(draw.crop_y % (room[1] - target[1] + 1));
  const Tensor padded = blank_image(target, 3, grey);
  paste_image(image, padded, -x, -y);

  move_instances(part, fit * draw.jitter, 0, 0);
  if (clip_) clip_instances(part, size);
  if (draw.flip) {
    part.bbox = flip_bbox(part.bbox, size, BoxLayout::xyxy, true, false);
    const Keypoints flipped = flip_keypoints({part.keypoints, part.keypoints_visible},
                                             part.meta.flip_indices, size, true, false);
    part.keypoints = flipped.points;
    part.keypoints_visible = flipped.visible;
  }
  move_instances(part, 1, -x, -y);
  if (clip_) clip_instances(part, target);

  Tensor mixed = Tensor::empty(sample.img.shape(), DType::u8);
  const uint8_t *a = sample.img.data<uint8_t>(), *b = padded.data<uint8_t>();
  uint8_t* out = mixed.data<uint8_t>();
  for (int64_t i = 0; i < mixed.numel(); ++i) out[i] = uint8_t((a[i] + b[i]) / 2);
  append_instances(sample, part);
  sample.img = mixed;
  sample.meta.img_shape = {target[1], target[0]};
}

bool YOLOXMixUp::apply(Sample& sample, Random& random) const {
  if (!random.chance(prob_)) return true;
  const Sample other = drawn_sample(sample, pre_, random);
  Draw draw;
  draw.jitter = random.uniform(ratio_range_[0], ratio_range_[1]);
  draw.flip = random.uniform() > flip_ratio_;
  draw.crop_y = int64_t(random.next() >> 1);
  draw.crop_x = int64_t(random.next() >> 1);
  carry_out(sample, other, draw);
  return true;
}

}  // namespace limber
