#include "data/transforms/flip.h"

#include <algorithm>

#include "pose/core/bbox.h"
#include "pose/core/keypoint.h"

namespace limber {
namespace {

FlipDirection direction_named(const Config& config) {
  const auto name = config.as<std::string>();
  if (name == "horizontal") return FlipDirection::horizontal;
  if (name == "vertical") return FlipDirection::vertical;
  if (name == "diagonal") return FlipDirection::diagonal;
  config.fail("unknown direction \"", name, "\"",
              did_you_mean(name, {"horizontal", "vertical", "diagonal"}));
}

const char* name_of(FlipDirection direction) {
  switch (direction) {
    case FlipDirection::horizontal:
      return "horizontal";
    case FlipDirection::vertical:
      return "vertical";
    case FlipDirection::diagonal:
      return "diagonal";
  }
  return "";
}

Tensor first_of(const TensorLists& lists, const char* name) {
  const auto found = lists.find(name);
  return found == lists.end() || found->second.empty() ? Tensor() : found->second[0];
}

}  // namespace

RandomFlip::RandomFlip(const Config& config) {
  const Config direction = config.find("direction");
  if (direction.is_list())
    for (size_t i = 0; i < direction.size(); ++i)
      directions_.push_back(direction_named(direction.at(i)));
  else
    directions_.push_back(direction.is_null() ? FlipDirection::horizontal
                                              : direction_named(direction));
  const Config prob = config.find("prob");
  if (prob.is_list()) {
    probs_ = prob.as<std::vector<double>>();
    if (probs_.size() != directions_.size())
      prob.fail(probs_.size(), " probabilities for ", directions_.size(), " directions");
  } else {
    const double all = prob.is_null() ? 0.5 : prob.as<double>();
    probs_.assign(directions_.size(), all / double(directions_.size()));
  }
}

std::optional<FlipDirection> RandomFlip::draw(Random& random) const {
  double u = random.uniform();
  for (size_t i = 0; i < probs_.size(); ++i) {
    if (u < probs_[i]) return directions_[i];
    u -= probs_[i];
  }
  return std::nullopt;
}

void RandomFlip::carry_out(Sample& sample, std::optional<FlipDirection> direction) const {
  sample.meta.flip = direction.has_value();
  sample.meta.flip_direction = direction ? name_of(*direction) : "";
  if (!direction) return;
  const std::array<int, 2> size = sample.image_size();
  const bool horizontal = *direction != FlipDirection::vertical;
  const bool vertical = *direction != FlipDirection::horizontal;
  if (sample.img.defined()) sample.img = flip_image(sample.img, *direction);
  for (Tensor& img : sample.scaled_imgs) img = flip_image(img, *direction);
  if (sample.img_mask.defined()) sample.img_mask = flip_image(sample.img_mask, *direction);
  if (sample.bbox.defined()) {
    const bool corners = sample.bbox.rank() == 3;
    sample.bbox = flip_bbox(sample.bbox, size, corners ? BoxLayout::center : BoxLayout::xyxy,
                            horizontal, vertical);
  }
  if (sample.bbox_center.defined())
    sample.bbox_center =
        flip_bbox(sample.bbox_center, size, BoxLayout::center, horizontal, vertical);
  if (sample.keypoints.defined()) {
    const Keypoints flipped = flip_keypoints({sample.keypoints, sample.keypoints_visible},
                                             sample.meta.flip_indices, size, horizontal, vertical);
    sample.keypoints = flipped.points;
    sample.keypoints_visible = flipped.visible;
  }
}

bool RandomFlip::apply(Sample& sample, Random& random) const {
  carry_out(sample, draw(random));
  return true;
}

HandRandomFlip::HandRandomFlip(const Config& config) : RandomFlip(config) {}

bool HandRandomFlip::apply(Sample& sample, Random& random) const {
  RandomFlip::apply(sample, random);
  if (!sample.meta.flip) return true;
  if (const Tensor type = first_of(sample.more, "hand_type"); type.defined()) {
    Tensor swapped = type.clone();
    for (int64_t i = 0; i + 1 < swapped.numel(); i += 2)
      std::swap(swapped.data<float>()[i], swapped.data<float>()[i + 1]);
    sample.more["hand_type"] = {swapped};
  }
  if (const Tensor depth = first_of(sample.more, "rel_root_depth"); depth.defined()) {
    Tensor negative = depth.clone();
    for (float& v : negative.span<float>()) v = -v;
    sample.more["rel_root_depth"] = {negative};
  }
  return true;
}

RandomFlipAroundRoot::Center RandomFlipAroundRoot::read_center(const Config& config) {
  Center center;
  const auto mode = config.get<std::string>("center_mode", "static");
  if (mode != "static" && mode != "root")
    config.fail("unknown center_mode \"", mode, "\"", did_you_mean(mode, {"static", "root"}));
  center.is_root = mode == "root";
  center.x = config.get<double>("center_x", 0.5);
  center.root = config.get<int>("center_index", 0);
  config.expect_all_read();
  return center;
}

RandomFlipAroundRoot::RandomFlipAroundRoot(const Config& config)
    : keypoints_(read_center(config.at("keypoints_flip_cfg"))),
      target_(read_center(config.at("target_flip_cfg"))),
      prob_(config.get<double>("flip_prob", 0.5)),
      flip_camera_(config.get<bool>("flip_camera", false)),
      flip_label_(config.get<bool>("flip_label", false)) {}

void RandomFlipAroundRoot::carry_out(Sample& sample) const {
  const std::vector<int>& swap = sample.meta.flip_indices;
  const auto flip = [&](const Keypoints& k, const Center& c) {
    return c.is_root ? flip_keypoints_around_root(k, swap, c.root)
                     : flip_keypoints_around(k, swap, c.x);
  };
  const Keypoints inputs = flip({sample.keypoints, sample.keypoints_visible}, keypoints_);
  sample.keypoints = inputs.points;
  sample.keypoints_visible = inputs.visible;
  for (const char* name : {"lifting_target", "lifting_target_label"}) {
    const Tensor target = first_of(sample.more, name);
    if (!target.defined() || (std::string_view(name) == "lifting_target_label" && !flip_label_))
      continue;
    const Keypoints flipped =
        flip({target, first_of(sample.more, "lifting_target_visible")}, target_);
    sample.more[name] = {flipped.points};
    if (flipped.visible.defined()) sample.more["lifting_target_visible"] = {flipped.visible};
  }
  if (!flip_camera_) return;
  const Tensor width = first_of(sample.more, "camera_w");
  if (const Tensor c = first_of(sample.more, "camera_c"); c.defined()) {
    Tensor mirrored = c.clone();
    if (width.defined())
      mirrored.data<float>()[0] = width.data<float>()[0] - mirrored.data<float>()[0];
    else
      mirrored.data<float>()[0] *= -1;
    sample.more["camera_c"] = {mirrored};
  }
  if (const Tensor p = first_of(sample.more, "camera_p"); p.defined()) {
    Tensor mirrored = p.clone();
    mirrored.data<float>()[0] *= -1;
    sample.more["camera_p"] = {mirrored};
  }
}

bool RandomFlipAroundRoot::apply(Sample& sample, Random& random) const {
  if (random.uniform() <= prob_) carry_out(sample);
  return true;
}

}  // namespace limber
