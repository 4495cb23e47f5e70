#include "data/datasets/mocap.h"

#include <algorithm>
#include <filesystem>

#include "data/datasets/subset.h"
#include "pose/core/metainfo.h"

namespace limber {
namespace {

std::string joined(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : (std::filesystem::path(folder) / name).string();
}

}  // namespace

SequenceOptions read_sequence_options(const Config& c) {
  SequenceOptions o;
  o.length = c.get<int64_t>("seq_len", 1);
  o.step = c.get<int64_t>("seq_step", 1);
  o.targets = c.get<int64_t>("multiple_target", 0);
  o.targets_step = c.get<int64_t>("multiple_target_step", 0);
  if (o.targets_step == 0) o.targets_step = o.targets;
  o.pad = c.get("pad_video_seq", false);
  o.causal = c.get("causal", true);
  o.subset = c.get("subset_frac", 1.0);
  check_input(o.length > 0 && o.step > 0 && o.targets >= 0 && o.targets_step >= 0, c.where(),
              ": seq_len and seq_step must be positive, multiple_target not negative");
  check_input(o.targets == 0 || (o.step == 1 && o.length == 1), c.where(),
              ": multiple_target goes with seq_len 1 and seq_step 1");
  check_input(o.subset > 0 && o.subset <= 1, c.where(), ": subset_frac ", o.subset,
              " is not above 0 and at most 1");
  return o;
}

MocapDataset::MocapDataset(const Config& config, MocapFrames frames, const std::string& metainfo)
    : frames_(std::move(frames)),
      sequence_(read_sequence_options(config)),
      meta_(resolve_metainfo(config.find("metainfo"), metainfo)),
      unlabelled_(config.get("unlabeled", false)) {
  const int64_t K = frames_.keypoints.size(1), F = frames_.keypoints.size(0);
  check_input(K == meta_->num_keypoints, config.where(), ": frames of ", K,
              " key points, the data set's description has ", meta_->num_keypoints);
  for (const Tensor* t : {&frames_.visible, &frames_.keypoints_3d, &frames_.visible_3d})
    check_input(t->size(0) == F && t->size(1) == K, config.where(), ": ", F, " frames of ", K,
                " key points, but an array of ", t->shape());
  test_mode = config.get<bool>("test_mode", false);
  max_refetch = config.get<int>("max_refetch", 1000);
  const auto mode = config.get<std::string>("data_mode", "topdown");
  if (mode != "topdown" && mode != "bottomup")
    config.fail("data_mode \"", mode, "\" is unknown", did_you_mean(mode, {"topdown", "bottomup"}));
  std::string folder;
  if (const Config prefix = config.find("data_prefix"); !prefix.is_null()) {
    folder = prefix.get<std::string>("img", "");
    if (frames_.names_from_root) folder.clear();
    prefix.ignore();
  }
  image_folder_ = joined(config.get<std::string>("data_root", ""), folder);
  check_input(!unlabelled_ || !frames_.camera_of.empty(), config.where(),
              ": unlabeled sequences need a camera_param_file");
  make_items(config);
  pipeline_ = Pipeline(config.find("pipeline"));
  for (const char* key : {"lazy_init", "serialize_data", "filter_cfg"}) config.find(key).ignore();
  config.expect_all_read();
}

void MocapDataset::make_items(const Config& config) {
  for (size_t v = 0; v < frames_.videos.size(); ++v) {
    const int64_t n = int64_t(frames_.videos[v].size());
    int64_t first_end = n, step = 1;
    if (sequence_.targets > 0) {
      step = sequence_.targets_step;
      first_end = n - sequence_.targets + 1;
    } else if (!sequence_.pad) {
      first_end = n - (sequence_.length - 1) * sequence_.step;
    }
    for (int64_t first = 0; first < first_end; first += step)
      items_.push_back({int32_t(v), int32_t(first)});
  }
  const size_t kept = size_t(double(items_.size()) * sequence_.subset);
  if (kept < items_.size()) {
    // One piece at a place that is the same in every run.
    const size_t begin = size_t(Random(0).integer(0, int64_t(items_.size() - kept) + 1));
    items_ =
        std::vector<Item>(items_.begin() + int64_t(begin), items_.begin() + int64_t(begin + kept));
  }
  take_subset(items_, config.find("indices"));
  check_input(!items_.empty(), config.where(), ": no video has the frames of one sample");
}

std::vector<int64_t> MocapDataset::frames_of(int64_t index) const {
  const Item item = items_.at(size_t(index));
  const std::vector<int64_t>& video = frames_.videos[size_t(item.video)];
  const int64_t count = sequence_.targets > 0 ? sequence_.targets : sequence_.length;
  int64_t before = 0;
  if (sequence_.targets == 0 && sequence_.pad)
    before = sequence_.causal ? sequence_.length - 1 : (sequence_.length - 1) / 2;
  std::vector<int64_t> frames;
  for (int64_t t = 0; t < count; ++t) {
    const int64_t at = item.first + (t - before) * sequence_.step;
    frames.push_back(video[size_t(std::clamp<int64_t>(at, 0, int64_t(video.size()) - 1))]);
  }
  return frames;
}

std::vector<int64_t> MocapDataset::targets_of(int64_t) const {
  std::vector<int64_t> out;
  for (int64_t t = 0; t < sequence_.targets; ++t) out.push_back(t);
  if (out.empty()) out.push_back(sequence_.causal ? sequence_.length - 1 : sequence_.length / 2);
  return out;
}

// What SemiSupervisionLoss compares with: everything in units of half the image's width.
void MocapDataset::add_intrinsics(Sample& sample, int64_t frame) const {
  const CameraParameters& camera = frames_.cameras[size_t(frames_.camera_of[size_t(frame)])];
  const auto number = [&](const char* name, int64_t i) {
    const auto found = camera.find(name);
    check_input(found != camera.end() && found->second.numel() > i, meta_->dataset_name,
                ": an unlabeled sequence's camera has no ", name);
    return found->second.data<float>()[i];
  };
  const float scale = number("w", 0) / 2, middle[] = {number("w", 0) / 2, number("h", 0) / 2};
  std::vector<float> values;
  for (int64_t i = 0; i < 2; ++i) values.push_back(number("f", i) / scale);
  for (int64_t i = 0; i < 2; ++i) values.push_back((number("c", i) - middle[i]) / scale);
  for (int64_t i = 0; i < 3; ++i) values.push_back(number("k", i));
  for (int64_t i = 0; i < 2; ++i) values.push_back(number("p", i));
  sample.more["intrinsics"] = {Tensor::from(values, {9})};
  Tensor points = take_rows(frames_.keypoints, {frame});
  for (int64_t i = 0; i < points.numel(); ++i)
    points.data<float>()[i] = (points.data<float>()[i] - middle[i % 2]) / scale;
  sample.more["target_2d"] = {points.alias(points.shape().without(0))};
}

Sample MocapDataset::raw_sample(int64_t index, Random&) const {
  const std::vector<int64_t> frames = frames_of(index);
  std::vector<int64_t> targets;
  for (int64_t t : targets_of(index)) targets.push_back(frames[size_t(t)]);
  Sample s;
  s.source = this;
  s.dataset = meta_;
  s.keypoint_weights = meta_->keypoint_weights;
  s.meta.id = index;
  s.meta.img_id = frames.back();
  s.meta.dataset_name = meta_->dataset_name;
  s.meta.flip_indices = meta_->flip_indices;
  s.meta.img_path = joined(image_folder_, frames_.names[size_t(frames.back())]);
  s.meta.target_img_path = frames_.names[size_t(targets[0])];
  s.keypoints = take_rows(frames_.keypoints, frames);
  s.keypoints_visible = take_rows(frames_.visible, frames);
  if (frames_.bboxes.defined()) {
    s.bbox = take_rows(frames_.bboxes, {frames.back()});
    s.bbox_score = Tensor::full({1}, 1);
  }
  if (frames_.factors.defined()) s.more["factor"] = {take_rows(frames_.factors, frames)};
  if (!frames_.camera_of.empty())
    for (const auto& [name, values] : frames_.cameras[size_t(frames_.camera_of[size_t(frames[0])])])
      s.more["camera_param/" + name] = {values};
  if (unlabelled_) {
    add_intrinsics(s, targets[0]);
  } else {
    s.more["keypoints_3d"] = {take_rows(frames_.keypoints_3d, frames)};
    s.more["lifting_target"] = {take_rows(frames_.keypoints_3d, targets)};
    s.more["lifting_target_visible"] = {take_rows(frames_.visible_3d, targets)};
  }
  return s;
}

bool MocapDataset::transform(Sample& sample, Random& random) const {
  return pipeline_.apply(sample, random);
}

}  // namespace limber
