#include "pose/estimators/pose_lifter.h"

#include "pose/estimators/topdown.h"
#include "pose/heads/lifting_heads.h"
#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {
namespace {

bool is_labelled(const DataSample& sample) {
  return sample.labels.contains("lifting_target_label");
}

const Tensor& meta_array(const DataSample& sample, const char* name) {
  const auto found = sample.meta.more.find(name);
  check(found != sample.meta.more.end(), "PoseLifter: a sample without 3-D labels has no ", name,
        ", which semi_loss needs");
  return found->second.at(0);
}

Tensor rows(const Tensor& x, const std::vector<int64_t>& indices) {
  return index_select(x, 0, Tensor::from(indices, {int64_t(indices.size())}));
}

}  // namespace

Features PoseLifter::Branch::operator()(const Tensor& inputs) const {
  Features maps = (*backbone)(inputs);
  return neck ? (*neck)(maps) : maps;
}

PoseLifter::Branch PoseLifter::read_branch(const Config& model, const Scope& root,
                                           const std::string& prefix) {
  Branch branch;
  const auto key = [&](const char* name) { return prefix + name; };
  if (!model.has(key("backbone"))) return branch;
  branch.backbone = make_backbone(model.at(key("backbone")), root / key("backbone"));
  if (model.has(key("neck"))) branch.neck = make_neck(model.at(key("neck")), root / key("neck"));
  if (model.has(key("head"))) {
    branch.head = make_head(model.at(key("head")), root / key("head"));
    branch.head->train = read_train_options(model.find("train_cfg"));
  }
  return branch;
}

PoseLifter::PoseLifter(const Config& model, const Scope& root) {
  model.at("backbone");
  pose_ = read_branch(model, root, "");
  trajectory_ = read_branch(model, root, "traj_");
  check_input(!trajectory_.backbone || trajectory_.head, model.path(),
              ".traj_head: the trajectory branch needs one");
  if (model.has("semi_loss")) {
    check_input(trajectory_.backbone != nullptr, model.path(),
                ".semi_loss: needs traj_backbone and traj_head");
    semi_loss_ = make_loss(model.at("semi_loss"), root / "semi_loss");
  }
  const Config test = model.find("test_cfg");
  test_ = read_test_options(test);
  check_input(!test_.flip_test || !trajectory_.backbone, model.path(),
              ".test_cfg.flip_test: not with a trajectory branch");
  if (test.has("output_keypoint_indices"))
    output_keypoints_ = test.get<std::vector<int>>("output_keypoint_indices");
}

Features PoseLifter::features(const Tensor& inputs) const { return pose_(inputs); }

Outputs PoseLifter::forward(const Tensor& inputs) const {
  const Features maps = pose_(inputs);
  Outputs out;
  if (!pose_.head) {
    for (size_t i = 0; i < maps.size(); ++i) out.emplace_back(std::to_string(i), maps[i]);
    return out;
  }
  if (!trajectory_.head) return pose_.head->forward(maps);
  out.emplace_back("0", pose_.head->forward(maps)[0].second);
  out.emplace_back("1", trajectory_.head->forward(trajectory_(inputs))[0].second);
  return out;
}

Losses PoseLifter::loss(const Tensor& inputs, ConstBatch samples) const {
  check(pose_.head != nullptr, "the model has no head, so no loss");
  std::vector<int64_t> with, without;
  std::vector<DataSample> labelled, others;
  for (size_t i = 0; i < samples.size(); ++i) {
    const bool has = is_labelled(samples[i]) || !semi_loss_;
    (has ? with : without).push_back(int64_t(i));
    if (semi_loss_) (has ? labelled : others).push_back(samples[i]);
  }
  check(!with.empty(), "PoseLifter: a batch without any 3-D label");
  const Tensor x = without.empty() ? inputs : rows(inputs, with);
  const ConstBatch batch = semi_loss_ ? ConstBatch(labelled) : samples;
  Losses losses;
  if (trajectory_.head) losses = trajectory_.head->loss(trajectory_(x), batch);
  const Features maps = pose_(x);
  for (auto& entry : pose_.head->loss(maps, batch)) losses.push_back(std::move(entry));
  if (!without.empty())
    add_semi_loss(pose_.head->forward(maps)[0].second, rows(inputs, without), others, losses);
  return losses;
}

void PoseLifter::add_semi_loss(const Tensor& labelled, const Tensor& inputs, ConstBatch samples,
                               Losses& losses) const {
  std::vector<Tensor> points, cameras;
  for (const DataSample& sample : samples) {
    points.push_back(meta_array(sample, "target_2d").to(inputs.dtype()));
    const Tensor camera = meta_array(sample, "intrinsics").to(inputs.dtype());
    cameras.push_back(camera.alias({camera.numel()}));
  }
  LossInput input;
  // Bones of labelled poses are what the others are held to; these follow, not lead.
  input.outputs = {labelled.clone(), pose_.head->forward(pose_(inputs))[0].second,
                   trajectory_.head->forward(trajectory_(inputs))[0].second};
  input.targets = {stack(points, 0), stack(cameras, 0)};
  const std::vector<Tensor> values = (*semi_loss_)(input);
  const char* names[] = {"semi_loss/proj_loss", "semi_loss/bone_loss"};
  for (size_t i = 0; i < values.size(); ++i) losses.emplace_back(names[i], values[i]);
}

void PoseLifter::predict(const Tensor& inputs, Batch samples) const {
  check(pose_.head != nullptr, "the model has no head, so it predicts nothing");
  const NoRecord no_record;
  const Features maps = pose_(inputs);
  Features flipped;
  if (test_.flip_test) {
    check(inputs.rank() == 4, "flip_test: inputs ", inputs.shape(), ", (N, T, K, C) is wanted");
    flipped = pose_(mirrored_poses(inputs, flip_indices_of(samples)));
  }
  std::vector<Prediction> predictions =
      pose_.head->predict(maps, test_.flip_test ? &flipped : nullptr, samples, test_);
  std::vector<Prediction> ways;
  if (trajectory_.head)
    ways = trajectory_.head->predict(trajectory_(inputs), nullptr, samples, test_);
  for (size_t i = 0; i < samples.size(); ++i) {
    Instances& found = predictions[i].instances;
    if (!output_keypoints_.empty()) select_keypoints(found, output_keypoints_);
    if (!ways.empty()) found.more["trajectory"] = {ways[i].instances.keypoints};
    samples[i].pred_instances = std::move(found);
    samples[i].pred_fields = std::move(predictions[i].fields);
  }
}

std::unique_ptr<Estimator> make_pose_lifter(const Config& model, const Scope& root) {
  return std::make_unique<PoseLifter>(model, root);
}

}  // namespace limber
