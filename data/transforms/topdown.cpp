#include "data/transforms/topdown.h"

#include <algorithm>
#include <cmath>

#include "data/image.h"
#include "data/warp.h"
#include "pose/core/bbox.h"
#include "pose/core/image_recipe.h"

namespace limber {
namespace {

// Whether key point k of instance n counts as visible.
float visibility(const Tensor& visible, int64_t n, int64_t k) {
  const int64_t per_point = visible.rank() > 2 ? visible.size(2) : 1;
  return visible.data<float>()[(n * visible.size(1) + k) * per_point];
}

}  // namespace

LoadImage::LoadImage(const Config& config) : on_device_(config.get<bool>("on_device", false)) {
  const auto backend = config.get<std::string>("imdecode_backend", "cv2");
  const auto color = config.get<std::string>("color_type", "color");
  if (color != "color") config.fail("color_type \"", color, "\" is not supported, only \"color\"");
  if (config.get<bool>("to_float32", false)) config.fail("to_float32 is not supported");
  check_input(!backend.empty(), config.where(), ": empty imdecode_backend");
  for (const char* key : {"backend_args", "file_client_args", "ignore_empty"}) config.find(key);
}

bool LoadImage::apply(Sample& sample, Random&) const {
  const bool opens = leaves_decoding_ && !on_device_ && !sample.img.defined();
  if (opens)
    sample.file = std::make_shared<ImageFile>(sample.meta.img_path);
  else if (!sample.img.defined())
    sample.img = read_image(sample.meta.img_path);
  const auto [W, H] = opens ? sample.file->size() : sample.image_size();
  sample.meta.img_shape = sample.meta.ori_shape = {H, W};
  if (on_device_ || opens) sample.recipe = std::make_shared<ImageRecipe>();
  return true;
}

GetBBoxCenterScale::GetBBoxCenterScale(const Config& config)
    : padding_(config.get<double>("padding", 1.25)) {}

bool GetBBoxCenterScale::apply(Sample& sample, Random&) const {
  if (sample.bbox_center.defined() && sample.bbox_scale.defined()) {
    Tensor scale = sample.bbox_scale.clone();
    for (float& v : scale.span<float>()) v *= float(padding_);
    sample.bbox_scale = scale;
    return true;
  }
  check(sample.bbox.defined(), "GetBBoxCenterScale: the sample has no box");
  const CenterScale found = bbox_to_center_scale(sample.bbox, padding_);
  sample.bbox_center = found.center;
  sample.bbox_scale = found.scale;
  return true;
}

RandomHalfBody::RandomHalfBody(const Config& config)
    : min_total_(config.get<int>("min_total_keypoints", 9)),
      min_upper_(config.get<int>("min_upper_keypoints", 2)),
      min_lower_(config.get<int>("min_lower_keypoints", 3)),
      padding_(config.get<double>("padding", 1.5)),
      prob_(config.get<double>("prob", 0.3)),
      upper_prob_(config.get<double>("upper_prioritized_prob", 0.7)) {}

RandomHalfBody::Choice RandomHalfBody::draw(const Sample& sample, Random& random) const {
  const Tensor& visible = sample.keypoints_visible;
  check(visible.defined() && sample.dataset != nullptr,
        "RandomHalfBody: the sample has no key points or no data set");
  const int K = int(visible.size(1));
  Choice choice;
  for (int64_t n = 0; n < visible.size(0); ++n) {
    choice.emplace_back();
    float total = 0;
    for (int k = 0; k < K; ++k) total += visibility(visible, n, k);
    if (total < float(min_total_) || random.uniform() > prob_) continue;
    const auto seen = [&](const std::vector<int>& ids) {
      std::vector<int> kept;
      for (int k : ids)
        if (k < K && visibility(visible, n, k) > 0) kept.push_back(k);
      return kept;
    };
    std::vector<int> upper = seen(sample.dataset->upper_body_ids);
    std::vector<int> lower = seen(sample.dataset->lower_body_ids);
    const bool prefer_upper = random.uniform() < upper_prob_;
    const bool few_upper = int(upper.size()) < min_upper_,
               few_lower = int(lower.size()) < min_lower_;
    if (few_upper && few_lower) continue;
    choice.back() = few_lower || (prefer_upper && !few_upper) ? upper : lower;
  }
  return choice;
}

void RandomHalfBody::carry_out(Sample& sample, const Choice& choice) const {
  Tensor center = sample.bbox_center.clone(), scale = sample.bbox_scale.clone();
  const int64_t K = sample.keypoints.size(1), C = sample.keypoints.size(2);
  for (size_t n = 0; n < choice.size(); ++n) {
    if (!choice[n] || choice[n]->empty()) continue;
    const float* points = sample.keypoints.data<float>() + int64_t(n) * K * C;
    for (int64_t d = 0; d < 2; ++d) {
      float low = INFINITY, high = -INFINITY;
      double sum = 0;
      for (int k : *choice[n]) {
        const float v = points[k * C + d];
        low = std::min(low, v), high = std::max(high, v), sum += v;
      }
      const int64_t at = int64_t(n) * 2 + d;
      center.data<float>()[at] = float(sum / double(choice[n]->size()));
      scale.data<float>()[at] = float((high - low) * padding_);
    }
  }
  sample.bbox_center = center;
  sample.bbox_scale = scale;
}

bool RandomHalfBody::apply(Sample& sample, Random& random) const {
  carry_out(sample, draw(sample, random));
  return true;
}

RandomBBoxTransform::RandomBBoxTransform(const Config& config)
    : shift_factor_(config.get<double>("shift_factor", 0.16)),
      shift_prob_(config.get<double>("shift_prob", 0.3)),
      scale_prob_(config.get<double>("scale_prob", 1.0)),
      rotate_factor_(config.get<double>("rotate_factor", 80.0)),
      rotate_prob_(config.get<double>("rotate_prob", 0.6)),
      scale_factor_(config.get<std::array<double, 2>>("scale_factor", {0.5, 1.5})) {}

RandomBBoxTransform::Draw RandomBBoxTransform::from_normals(std::span<const double> v,
                                                            Random& random) const {
  Draw draw;
  if (random.chance(shift_prob_)) draw.offset = {v[0] * shift_factor_, v[1] * shift_factor_};
  const auto [low, high] = scale_factor_;
  if (random.chance(scale_prob_)) draw.scale = v[2] * (high - low) * 0.5 + (high + low) * 0.5;
  if (random.chance(rotate_prob_)) draw.rotation = v[3] * rotate_factor_;
  return draw;
}

void RandomBBoxTransform::carry_out(Sample& sample, std::span<const Draw> draws) const {
  Tensor center = sample.bbox_center.clone(), scale = sample.bbox_scale.clone();
  Tensor rotation = Tensor::zeros({center.size(0)});
  for (size_t n = 0; n < draws.size(); ++n) {
    for (size_t d = 0; d < 2; ++d) {
      center.data<float>()[2 * n + d] += float(draws[n].offset[d]) * scale.data<float>()[2 * n + d];
      scale.data<float>()[2 * n + d] *= float(draws[n].scale);
    }
    rotation.data<float>()[n] = float(draws[n].rotation);
  }
  sample.bbox_center = center;
  sample.bbox_scale = scale;
  sample.bbox_rotation = rotation;
}

bool RandomBBoxTransform::apply(Sample& sample, Random& random) const {
  check(sample.bbox_center.defined() && sample.bbox_scale.defined(),
        "RandomBBoxTransform: needs GetBBoxCenterScale before it");
  std::vector<Draw> draws;
  for (int64_t n = 0; n < sample.bbox_center.size(0); ++n) {
    double normals[4];
    for (double& v : normals) v = random.truncated_normal(-1, 1);
    draws.push_back(from_normals(normals, random));
  }
  carry_out(sample, draws);
  return true;
}

TopdownAffine::TopdownAffine(const Config& config)
    : input_size_(config.get<std::array<int, 2>>("input_size")),
      udp_(config.get<bool>("use_udp", false)) {
  check_input(input_size_[0] > 0 && input_size_[1] > 0, config.where(),
              ": input_size must be positive");
}

bool TopdownAffine::apply(Sample& sample, Random&) const {
  check(sample.bbox_center.defined() && sample.bbox_center.size(0) == 1,
        "TopdownAffine: needs the centre and scale of exactly one box, not of ",
        sample.bbox_center.defined() ? sample.bbox_center.size(0) : 0);
  sample.bbox_scale = fix_aspect_ratio(sample.bbox_scale, double(input_size_[0]) / input_size_[1]);
  const float *c = sample.bbox_center.data<float>(), *s = sample.bbox_scale.data<float>();
  check_input(std::isfinite(c[0]) && std::isfinite(c[1]) && s[0] > 0 && s[1] > 0 &&
                  std::isfinite(s[0]) && std::isfinite(s[1]),
              sample.meta.img_path, ": absurd box: centre (", c[0], ", ", c[1], "), size ", s[0],
              " x ", s[1]);
  const double rotation =
      sample.bbox_rotation.defined() ? sample.bbox_rotation.data<float>()[0] : 0;
  const Point center{c[0], c[1]}, scale{s[0], s[1]};
  const Matrix23 m = udp_ ? udp_warp_matrix(center, scale, rotation,
                                            {double(input_size_[0]), double(input_size_[1])})
                          : warp_matrix(center, scale, rotation, input_size_);
  if (sample.file != nullptr) {
    sample.img = warp_affine(*sample.file, sample.recipe->mirrored_x, sample.recipe->mirrored_y, m,
                             input_size_);
    sample.file.reset();
    sample.recipe.reset();
  } else if (sample.recipe != nullptr) {
    sample.recipe->size = input_size_;
    sample.recipe->matrix = m;
  } else if (sample.img.defined()) {
    sample.img = warp_affine(sample.img, m, input_size_);
  }
  if (sample.keypoints.defined())
    sample.transformed_keypoints =
        transformed(m, sample.transformed_keypoints.defined() ? sample.transformed_keypoints
                                                              : sample.keypoints);
  sample.meta.input_size = input_size_;
  sample.meta.input_center = {c[0], c[1]};
  sample.meta.input_scale = {s[0], s[1]};
  return true;
}

}  // namespace limber
