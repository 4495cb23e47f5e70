#include "data/transforms/bottomup.h"

#include <algorithm>
#include <cmath>

#include "pose/core/bbox.h"
#include "pose/core/keypoint.h"

namespace limber {
namespace {

Border read_border(const Config& value) {
  if (value.is_null()) return kBlack;
  if (value.is_number()) return {value.as<double>(), value.as<double>(), value.as<double>(), 0};
  const auto list = value.as<std::array<double, 3>>();
  return {list[0], list[1], list[2], 0};
}

Matrix33 homogeneous(const Matrix23& m) { return {m[0], m[1], m[2], m[3], m[4], m[5], 0, 0, 1}; }

Matrix23 upper_rows(const Matrix33& m) { return {m[0], m[1], m[2], m[3], m[4], m[5]}; }

Tensor scaled(const Tensor& t, double by) {
  Tensor out = t.clone();
  for (float& v : out.span<float>()) v = float(v * by);
  return out;
}

// Every other number from the first on times sx, the rest times sy; rows of `width` numbers of
// which the first `used` are coordinates.
Tensor scaled_points(const Tensor& t, double sx, double sy, int64_t used) {
  Tensor out = t.clone();
  const int64_t width = t.size(-1);
  float* p = out.data<float>();
  for (int64_t i = 0; i < t.numel(); ++i)
    if (i % width < used) p[i] *= float(i % width % 2 == 0 ? sx : sy);
  return out;
}

}  // namespace

BottomupRandomAffine::BottomupRandomAffine(const Config& config)
    : input_size_(config.get<std::array<int, 2>>("input_size")),
      shift_factor_(config.get<double>("shift_factor", 0.2)),
      shift_prob_(config.get<double>("shift_prob", 1)),
      scale_prob_(config.get<double>("scale_prob", 1)),
      rotate_factor_(config.get<double>("rotate_factor", 30)),
      rotate_prob_(config.get<double>("rotate_prob", 1)),
      shear_factor_(config.get<double>("shear_factor", 2)),
      shear_prob_(config.get<double>("shear_prob", 1)),
      scale_factor_(config.get<std::array<double, 2>>("scale_factor", {0.75, 1.5})),
      pad_(read_border(config.find("pad_val"))),
      keep_corner_(config.get<bool>("bbox_keep_corner", true)),
      clip_(config.get<bool>("clip_border", false)) {
  const auto option = [&](const char* key, const char* first, const char* second) {
    const auto value = config.get<std::string>(key, first);
    if (value != first && value != second)
      config.fail(key, " \"", value, "\" is unknown", did_you_mean(value, {first, second}));
    return value == second;
  };
  long_ = option("scale_type", "short", "long");
  uniform_ = option("distribution", "trunc_norm", "uniform");
  perspective_ = option("transform_mode", "affine", "perspective");
  config.find("use_udp");  // has no effect in the reference either
  config.find("border");
  check_input(input_size_[0] > 0 && input_size_[1] > 0, config.where(),
              ": input_size must be positive");
}

BottomupRandomAffine::Draw BottomupRandomAffine::draw(Random& random) const {
  const auto value = [&] {
    return uniform_ ? random.uniform(-1, 1) : random.truncated_normal(-1, 1);
  };
  Draw d;
  if (random.chance(shift_prob_)) d.offset = {value() * shift_factor_, value() * shift_factor_};
  const auto [low, high] = scale_factor_;
  if (random.chance(scale_prob_)) d.scale = value() * (high - low) / 2 + (high + low) / 2;
  if (random.chance(rotate_prob_)) d.rotation = value() * rotate_factor_;
  if (perspective_ && random.chance(shear_prob_))
    d.shear = {value() * shear_factor_, value() * shear_factor_};
  return d;
}

Matrix33 BottomupRandomAffine::matrix(const Sample& sample, const Draw& d) const {
  const double w = input_size_[0], h = input_size_[1];
  if (perspective_)
    return perspective_matrix({w / 2, h / 2}, {d.offset[0] * w, d.offset[1] * h}, d.scale,
                              d.rotation, d.shear);
  const double img_h = sample.meta.img_shape[0], img_w = sample.meta.img_shape[1];
  Point scale{img_w * d.scale, img_h * d.scale};
  const double ratio = w / h;
  const bool wide = scale[0] > scale[1] * ratio;
  if (wide == long_)
    scale[1] = scale[0] / ratio;
  else
    scale[0] = scale[1] * ratio;
  const Point center{img_w / 2 + d.offset[0] * img_w, img_h / 2 + d.offset[1] * img_h};
  return homogeneous(warp_matrix(center, scale, d.rotation, input_size_));
}

void BottomupRandomAffine::carry_out(Sample& sample, const Draw& draw) const {
  const Matrix33 m = matrix(sample, draw);
  sample.warp_mat = m;
  sample.warped = true;
  sample.meta.input_size = input_size_;
  if (sample.img.defined())
    sample.img = perspective_ ? warp_perspective(sample.img, m, input_size_, pad_)
                              : warp_affine(sample.img, upper_rows(m), input_size_, pad_);
  if (sample.bbox.defined()) {
    Tensor boxes =
        transformed(m, sample.bbox.rank() == 3 ? sample.bbox : bbox_corners(sample.bbox));
    if (clip_) boxes = clip_bbox(boxes, input_size_);
    sample.bbox = keep_corner_ ? boxes : corners_bbox(boxes);
  }
  if (sample.keypoints.defined()) {
    sample.keypoints = transformed(m, sample.keypoints);
    if (clip_)
      sample.keypoints_visible =
          visible_inside({sample.keypoints, sample.keypoints_visible}, input_size_);
  }
  if (sample.area.defined()) sample.area = scaled(sample.area, m[0] * m[4] - m[1] * m[3]);
}

bool BottomupRandomAffine::apply(Sample& sample, Random& random) const {
  carry_out(sample, draw(random));
  return true;
}

BottomupResize::BottomupResize(const Config& config)
    : input_size_(config.get<std::array<int, 2>>("input_size")),
      size_factor_(config.get<int>("size_factor", 32)),
      udp_(config.get<bool>("use_udp", false)),
      pad_(read_border(config.find("pad_val"))) {
  if (config.has("aug_scales")) aug_scales_ = config.get<std::vector<double>>("aug_scales");
  const auto mode = config.get<std::string>("resize_mode", "fit");
  if (mode != "fit" && mode != "expand")
    config.fail("resize_mode \"", mode, "\" is unknown", did_you_mean(mode, {"fit", "expand"}));
  expand_ = mode == "expand";
  check_input(input_size_[0] > 0 && input_size_[1] > 0 && size_factor_ > 0, config.where(),
              ": input_size and size_factor must be positive");
}

BottomupResize::Frame BottomupResize::frame_for(const std::array<int, 2>& image,
                                                const std::array<int, 2>& wanted) const {
  const double img_w = image[0], img_h = image[1], w = wanted[0], h = wanted[1];
  const auto padded = [&](double v) { return int(std::ceil(v / size_factor_)) * size_factor_; };
  const bool wide = w / h < img_w / img_h;
  if (wide != expand_) {
    const double height = w / img_w * img_h;
    return {{w, height}, {wanted[0], padded(height)}};
  }
  const double width = h / img_h * img_w;
  return {{width, h}, {padded(width), wanted[1]}};
}

bool BottomupResize::apply(Sample& sample, Random&) const {
  const std::array<int, 2> size = sample.image_size();
  const double img_w = size[0], img_h = size[1];
  const Tensor original = sample.img;
  std::vector<double> scales{1.0};
  scales.insert(scales.end(), aug_scales_.begin(), aug_scales_.end());
  sample.scaled_imgs.clear();
  for (size_t i = 0; i < scales.size(); ++i) {
    const Frame frame =
        frame_for(size, {int(input_size_[0] * scales[i]), int(input_size_[1] * scales[i])});
    Point center{img_w / 2, img_h / 2}, scale{img_w, img_h};
    Matrix23 m;
    if (udp_) {
      center = {(img_w - 1) / 2, (img_h - 1) / 2};
      m = udp_warp_matrix(center, scale, 0, frame.filled);
    } else {
      const double ratio = double(frame.padded[0]) / frame.padded[1];
      scale = img_w > img_h * ratio ? Point{img_w, img_w / ratio} : Point{img_h * ratio, img_h};
      m = warp_matrix(center, scale, 0, frame.padded);
    }
    const Tensor resized = warp_affine(original, m, frame.padded, pad_);
    if (i > 0) {
      sample.scaled_imgs.push_back(resized);
      continue;
    }
    sample.img = resized;
    sample.meta.img_shape = {frame.padded[1], frame.padded[0]};
    sample.meta.input_size = frame.padded;
    sample.meta.input_center = {float(center[0]), float(center[1])};
    sample.meta.input_scale = {float(scale[0]), float(scale[1])};
  }
  return true;
}

BottomupRandomCrop::BottomupRandomCrop(const Config& config)
    : type_(config.get<std::string>("crop_type", "absolute")),
      crop_size_(config.get<std::array<double, 2>>("crop_size")),
      allow_negative_(config.get<bool>("allow_negative_crop", false)),
      recompute_(config.get<bool>("recompute_bbox", false)),
      clip_(config.get<bool>("bbox_clip_border", true)) {
  const std::vector<std::string> types{"absolute", "absolute_range", "relative", "relative_range"};
  if (std::find(types.begin(), types.end(), type_) == types.end())
    config.fail("crop_type \"", type_, "\" is unknown", did_you_mean(type_, types));
}

BottomupRandomCrop::Draw BottomupRandomCrop::draw(const Sample& sample, Random& random) const {
  const auto [W, H] = sample.image_size();
  const auto between = [&](int low, int high) { return int(random.integer(low, high + 1)); };
  const auto range = [&](int extent) {
    const int low = std::min(extent, int(crop_size_[0])),
              high = std::min(extent, int(crop_size_[1]));
    return between(std::min(low, high), std::max(low, high));
  };
  std::array<int, 2> size;
  if (type_ == "absolute")
    size = {std::min(W, int(crop_size_[0])), std::min(H, int(crop_size_[1]))};
  else if (type_ == "absolute_range")
    size = {range(W), range(H)};
  else if (type_ == "relative")
    size = {int(W * crop_size_[0] + 0.5), int(H * crop_size_[1] + 0.5)};
  else
    size = {int(W * random.uniform(crop_size_[0], 1) + 0.5),
            int(H * random.uniform(crop_size_[1], 1) + 0.5)};
  size = {std::clamp(size[0], 1, W), std::clamp(size[1], 1, H)};
  return {size, {between(0, W - size[0]), between(0, H - size[1])}};
}

bool BottomupRandomCrop::carry_out(Sample& sample, const Draw& draw) const {
  const auto [x, y] = draw.offset;
  const Matrix33 moved{1, 0, -double(x), 0, 1, -double(y), 0, 0, 1};
  sample.img = crop_image(sample.img, x, y, draw.size);
  if (sample.img_mask.defined()) sample.img_mask = crop_image(sample.img_mask, x, y, draw.size);
  sample.meta.img_shape = {draw.size[1], draw.size[0]};
  sample.warp_mat = product(moved, sample.warp_mat);
  sample.warped = true;
  if (!sample.bbox.defined()) return true;
  Tensor boxes = corners_bbox(transformed(moved, bbox_corners(sample.bbox)));
  if (clip_) boxes = clip_bbox(boxes, draw.size);
  sample.bbox = boxes;
  if (sample.keypoints.defined()) {
    const Tensor points = transformed(moved, sample.keypoints);
    if (clip_)
      sample.keypoints_visible = visible_inside({points, sample.keypoints_visible}, draw.size);
    const int64_t C = points.size(-1);
    float* p = points.data<float>();
    for (int64_t i = 0; clip_ && i < points.numel(); i += C)
      for (int64_t d = 0; d < 2; ++d)
        p[i + d] = std::clamp(p[i + d], 0.0f, float(draw.size[size_t(d)]));
    sample.keypoints = points;
  }
  std::vector<int64_t> kept;
  for (int64_t n = 0; n < boxes.size(0); ++n) {
    const float* b = boxes.data<float>() + 4 * n;
    if (b[2] > b[0] && b[3] > b[1]) kept.push_back(n);
  }
  if (kept.empty() && !allow_negative_) return false;
  keep_instances(sample, kept);
  if (recompute_ && sample.keypoints.defined() && !kept.empty())
    sample.bbox = corners_bbox(sample.keypoints);
  return true;
}

bool BottomupRandomCrop::apply(Sample& sample, Random& random) const {
  return carry_out(sample, draw(sample, random));
}

BottomupRandomChoiceResize::BottomupRandomChoiceResize(const Config& config)
    : keep_ratio_(config.get<bool>("keep_ratio", false)),
      clip_(config.get<bool>("clip_object_border", true)) {
  const Config scales = config.at("scales");
  for (size_t i = 0; i < scales.size(); ++i) {
    const Config scale = scales.at(i);
    scales_.push_back(scale.is_list() ? scale.as<std::array<int, 2>>()
                                      : std::array<int, 2>{scale.as<int>(), scale.as<int>()});
  }
  check_input(!scales_.empty(), config.where(), ": no scales");
  config.find("backend");
  config.find("resize_type");
}

void BottomupRandomChoiceResize::carry_out(Sample& sample, size_t choice) const {
  const auto [W, H] = sample.image_size();
  std::array<int, 2> size = scales_[choice];
  if (keep_ratio_) {
    const auto [low, high] = std::minmax(size[0], size[1]);
    const double factor = std::min(double(high) / std::max(H, W), double(low) / std::min(H, W));
    size = {int(W * factor + 0.5), int(H * factor + 0.5)};
  }
  const double sx = double(size[0]) / W, sy = double(size[1]) / H;
  sample.img = resize_image(sample.img, size);
  // Height comes first in these three, as decoders of this family expect.
  sample.meta.img_shape = {size[1], size[0]};
  sample.meta.input_size = {size[1], size[0]};
  sample.meta.input_center = {float(H) / 2, float(W) / 2};
  sample.meta.input_scale = {float(H), float(W)};
  if (sample.area.defined()) sample.area = scaled(sample.area, sx * sy);
  if (sample.bbox.defined()) {
    sample.bbox = scaled_points(sample.bbox, sx, sy, 4);
    if (clip_) sample.bbox = clip_bbox(sample.bbox, size);
  }
  if (sample.keypoints.defined()) {
    sample.keypoints = scaled_points(sample.keypoints, sx, sy, 2);
    const int64_t C = sample.keypoints.size(-1);
    float* p = sample.keypoints.data<float>();
    for (int64_t i = 0; clip_ && i < sample.keypoints.numel(); i += C)
      for (int64_t d = 0; d < 2; ++d) p[i + d] = std::clamp(p[i + d], 0.0f, float(size[size_t(d)]));
  }
}

bool BottomupRandomChoiceResize::apply(Sample& sample, Random& random) const {
  carry_out(sample, size_t(random.integer(0, int64_t(scales_.size()))));
  return true;
}

BottomupGetHeatmapMask::BottomupGetHeatmapMask(const Config& config)
    : get_invalid_(config.get<bool>("get_invalid", false)) {}

bool BottomupGetHeatmapMask::apply(Sample& sample, Random&) const {
  const Tensor filled = segmentation_mask(sample.invalid_segs, sample.meta.img_shape);
  Tensor mask = filled.to(DType::f32);
  if (!get_invalid_)
    for (float& v : mask.span<float>()) v = 1 - v;
  if (sample.warped) mask = warp_affine(mask, upper_rows(sample.warp_mat), sample.meta.input_size);
  if (sample.meta.flip)
    mask = flip_image(mask, sample.meta.flip_direction == "horizontal" ? FlipDirection::horizontal
                            : sample.meta.flip_direction == "vertical" ? FlipDirection::vertical
                                                                       : FlipDirection::diagonal);
  std::vector<Tensor> masks;
  const auto heatmaps = sample.fields.find("heatmaps");
  const auto add = [&](const Tensor& resized) {
    Tensor out = resized.clone().alias({resized.size(0), resized.size(1)});
    for (float& v : out.span<float>()) v = v > 0.5f ? 1 : 0;
    masks.push_back(out);
  };
  if (heatmaps == sample.fields.end())
    add(mask);
  else
    for (const Tensor& h : heatmaps->second)
      add(resize_image(mask, {int(h.size(-1)), int(h.size(-2))}));
  sample.fields["heatmap_mask"] = masks;
  return true;
}

FilterAnnotations::FilterAnnotations(const Config& config)
    : min_wh_(config.get<std::array<double, 2>>("min_gt_bbox_wh", {1, 1})),
      min_area_(config.get<double>("min_gt_area", 1)),
      min_visible_(config.get<int>("min_kpt_vis", 1)),
      by_box_(config.get<bool>("by_box", false)),
      by_area_(config.get<bool>("by_area", false)),
      by_keypoints_(config.get<bool>("by_kpt", true)),
      // The reference's keep_empty does the opposite of its name; configs rely on what it does.
      drop_empty_(config.get<bool>("keep_empty", true)) {
  check_input(by_box_ || by_area_ || by_keypoints_, config.where(),
              ": one of by_box, by_area, by_kpt must be true");
}

bool FilterAnnotations::apply(Sample& sample, Random&) const {
  const int64_t N = sample.num_instances();
  std::vector<int64_t> kept;
  for (int64_t n = 0; n < N; ++n) {
    bool fit = true;
    if (by_keypoints_) {
      const Tensor& visible = sample.keypoints_visible;
      const int64_t per_point = visible.rank() > 2 ? visible.size(2) : 1;
      double count = 0;
      for (int64_t k = 0; k < visible.size(1); ++k)
        count += visible.data<float>()[(n * visible.size(1) + k) * per_point];
      fit = fit && count >= min_visible_;
    }
    if (by_box_) {
      const Tensor boxes = sample.bbox.rank() == 3 ? corners_bbox(sample.bbox) : sample.bbox;
      const float* b = boxes.data<float>() + 4 * n;
      fit = fit && b[2] - b[0] > min_wh_[0] && b[3] - b[1] > min_wh_[1];
    }
    if (by_area_) fit = fit && sample.area.data<float>()[n] >= min_area_;
    if (fit) kept.push_back(n);
  }
  if (kept.empty() && drop_empty_) return false;
  if (int64_t(kept.size()) < N) keep_instances(sample, kept);
  return true;
}

}  // namespace limber
