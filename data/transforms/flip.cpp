#include "data/transforms/flip.h"

#include <algorithm>

#include "pose/core/bbox.h"
#include "pose/core/image_recipe.h"
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
  if (sample.recipe != nullptr) {
    sample.recipe->mirrored_x ^= horizontal;
    sample.recipe->mirrored_y ^= vertical;
  } else if (sample.img.defined()) {
    sample.img = flip_image(sample.img, *direction);
  }
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
  // In camera space the middle is 0. MMPose forgets these, and so gives the left hand the depth of
  // the right one.
  if (const Tensor pose = first_of(sample.more, "keypoints_3d"); pose.defined()) {
    const Tensor flipped =
        flip_keypoints({pose, {}}, sample.meta.flip_indices, {1, 1}, horizontal, vertical).points;
    sample.more["keypoints_3d"] = {flipped};
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
      flip_label_(config.get<bool>("flip_label", false)),
      flip_image_(config.get<bool>("flip_image", false)) {}

// The labels that a codec made before: keypoint_labels and lifting_target_label, whose middle is 0.
void RandomFlipAroundRoot::flip_labels(Sample& sample) const {
  const auto flip = [&](const char* name, const Center& c) {
    const auto found = sample.labels.find(name);
    check(found != sample.labels.end(), "RandomFlipAroundRoot: flip_label, but no ", name,
          "; GenerateTarget stands before it");
    check(found->second[0].rank() == 3, "RandomFlipAroundRoot: ", name, " ",
          found->second[0].shape(), ", (T, K, C) is wanted");
    found->second[0] = flip_at({found->second[0], {}}, sample.meta.flip_indices, c).points;
  };
  flip("keypoint_labels", keypoints_);
  flip("lifting_target_label", target_);
  if (const auto weights = sample.labels.find("lifting_target_weight");
      weights != sample.labels.end()) {
    Tensor& w = weights->second[0];
    w = swap_keypoints({w.alias(w.shape().inserted(2, 1)), {}}, sample.meta.flip_indices)
            .points.alias(w.shape());
  }
}

Keypoints RandomFlipAroundRoot::flip_at(const Keypoints& k, const std::vector<int>& swap,
                                        const Center& c) {
  return c.is_root ? flip_keypoints_around_root(k, swap, c.root)
                   : flip_keypoints_around(k, swap, c.x);
}

void RandomFlipAroundRoot::carry_out(Sample& sample) const {
  if (flip_label_) return flip_labels(sample);
  const std::vector<int>& swap = sample.meta.flip_indices;
  const Tensor width = first_of(sample.more, "camera_param/w");
  Center keypoints = keypoints_, target = target_;
  if (flip_image_) {
    check(width.defined(), "RandomFlipAroundRoot: flip_image needs the camera's w");
    keypoints.x = target.x = width.item() / 2;
  }
  const Keypoints inputs = flip_at({sample.keypoints, sample.keypoints_visible}, swap, keypoints);
  sample.keypoints = inputs.points;
  sample.keypoints_visible = inputs.visible;
  if (const Tensor pose = first_of(sample.more, "lifting_target"); pose.defined()) {
    const Keypoints flipped =
        flip_at({pose, first_of(sample.more, "lifting_target_visible")}, swap, target);
    sample.more["lifting_target"] = {flipped.points};
    if (flipped.visible.defined()) sample.more["lifting_target_visible"] = {flipped.visible};
  }
  if (!flip_camera_) return;
  if (const Tensor c = first_of(sample.more, "camera_param/c"); c.defined()) {
    Tensor mirrored = c.clone();
    if (width.defined())
      mirrored.data<float>()[0] = float(width.item()) - mirrored.data<float>()[0];
    else
      mirrored.data<float>()[0] *= -1;
    sample.more["camera_param/c"] = {mirrored};
  }
  if (const Tensor p = first_of(sample.more, "camera_param/p"); p.defined()) {
    Tensor mirrored = p.clone();
    mirrored.data<float>()[0] *= -1;
    sample.more["camera_param/p"] = {mirrored};
  }
}

bool RandomFlipAroundRoot::apply(Sample& sample, Random& random) const {
  if (random.uniform() <= prob_) carry_out(sample);
  return true;
}

}  // namespace limber
