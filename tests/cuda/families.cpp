#include "tests/cuda/families.h"

#include "pose/estimators/estimator.h"
#include "tensor/op.h"
#include "tensor/ops.h"
#include "tests/support/heads.h"
#include "tests/support/tensors.h"

namespace limber::test {
namespace {

// ---- configs

constexpr char kResNet[] = R"({
        "type": "TopdownPoseEstimator",
        "backbone": {"type": "ResNet", "depth": 18, "stem_channels": 8, "base_channels": 8},
        "head": {"type": "HeatmapHead", "in_channels": 64, "out_channels": 5,
                 "deconv_out_channels": [16, 16], "deconv_kernel_sizes": [4, 4],
                 "loss": {"type": "KeypointMSELoss", "use_target_weight": true}}})";
constexpr char kHRNet[] = R"({
        "type": "TopdownPoseEstimator",
        "backbone": {"type": "HRNet", "in_channels": 3, "extra": {
          "stage1": {"num_modules": 1, "num_branches": 1, "block": "BOTTLENECK",
                     "num_blocks": [1], "num_channels": [8]},
          "stage2": {"num_modules": 1, "num_branches": 2, "block": "BASIC",
                     "num_blocks": [1, 1], "num_channels": [8, 16]},
          "stage3": {"num_modules": 1, "num_branches": 3, "block": "BASIC",
                     "num_blocks": [1, 1, 1], "num_channels": [8, 16, 24]},
          "stage4": {"num_modules": 1, "num_branches": 4, "block": "BASIC",
                     "num_blocks": [1, 1, 1, 1], "num_channels": [8, 16, 24, 32]}}},
        "head": {"type": "HeatmapHead", "in_channels": 8, "out_channels": 5,
                 "deconv_out_channels": null,
                 "loss": {"type": "KeypointMSELoss", "use_target_weight": true}}})";
constexpr char kRTMPose[] = R"({
        "type": "TopdownPoseEstimator",
        "backbone": {"type": "CSPNeXt", "arch": "P5", "expand_ratio": 0.5, "deepen_factor": 0.1,
                     "widen_factor": 0.125, "out_indices": [4], "channel_attention": true,
                     "norm_cfg": {"type": "BN"}, "act_cfg": {"type": "SiLU"}},
        "head": {"type": "RTMCCHead", "in_channels": 128, "out_channels": 5, "input_size": [64, 64],
                 "in_featuremap_size": [2, 2], "simcc_split_ratio": 2.0,
                 "final_layer_kernel_size": 3,
                 "gau_cfg": {"hidden_dims": 16, "s": 8, "expansion_factor": 2,
                             "dropout_rate": 0.0, "drop_path": 0.0, "act_fn": "SiLU",
                             "use_rel_bias": true, "pos_enc": true},
                 "loss": {"type": "KLDiscretLoss", "use_target_weight": true, "beta": 10.0,
                          "label_softmax": true},
                 "decoder": {"type": "SimCCLabel", "input_size": [64, 64], "sigma": [4.9, 5.66],
                             "simcc_split_ratio": 2.0, "normalize": false, "use_dark": false}}})";
constexpr char kViT[] = R"({
        "type": "TopdownPoseEstimator",
        "backbone": {"type": "mmpretrain.VisionTransformer",
                     "arch": {"embed_dims": 16, "num_layers": 2, "num_heads": 2,
                              "feedforward_channels": 32},
                     "img_size": [32, 32], "patch_size": 8, "qkv_bias": true,
                     "with_cls_token": false, "out_type": "featmap", "drop_path_rate": 0.3},
        "head": {"type": "HeatmapHead", "in_channels": 16, "out_channels": 5,
                 "deconv_out_channels": [8], "deconv_kernel_sizes": [4],
                 "loss": {"type": "KeypointMSELoss", "use_target_weight": true}}})";
constexpr char kAE[] = R"({
        "type": "BottomupPoseEstimator",
        "backbone": {"type": "ResNet", "depth": 18, "stem_channels": 8, "base_channels": 8},
        "head": {"type": "AssociativeEmbeddingHead", "in_channels": 64, "num_keypoints": 5,
                 "deconv_out_channels": [16, 16], "deconv_kernel_sizes": [4, 4],
                 "keypoint_loss": {"type": "KeypointMSELoss"},
                 "tag_loss": {"type": "AssociativeEmbeddingLoss", "loss_weight": 0.1}}})";
constexpr char kTCN[] = R"({
        "type": "PoseLifter",
        "backbone": {"type": "TCN", "in_channels": 34, "stem_channels": 16, "num_blocks": 2,
                     "kernel_sizes": [3, 3, 3], "dropout": 0.25, "use_stride_conv": true},
        "head": {"type": "TemporalRegressionHead", "in_channels": 16, "num_joints": 17,
                 "loss": {"type": "MPJPELoss"}}})";
constexpr char kDSTFormer[] = R"({
        "type": "PoseLifter",
        "backbone": {"type": "DSTFormer", "in_channels": 3, "feat_size": 16, "depth": 1,
                     "num_heads": 2, "mlp_ratio": 2, "seq_len": 5, "att_fuse": true},
        "head": {"type": "MotionRegressionHead", "in_channels": 16, "out_channels": 3,
                 "embedding_size": 16, "loss": {"type": "MPJPEVelocityJointLoss"}}})";
constexpr char kRLE[] = R"({"type": "RLEHead", "in_channels": 12, "num_joints": 5,
  "loss": {"type": "RLELoss", "use_target_weight": true}})";
constexpr char kInterNet[] = R"({"type": "InternetHead",
  "keypoint_head_cfg": {"in_channels": 6, "out_channels": 12, "depth_size": 4,
                        "deconv_out_channels": [8], "deconv_kernel_sizes": [4]},
  "root_head_cfg": {"in_channels": 6, "heatmap_size": 8, "hidden_dims": [8]},
  "hand_type_head_cfg": {"in_channels": 6, "num_labels": 2, "hidden_dims": [8]}})";

// ---- targets

constexpr size_t kBatch = 2;

// Random numbers in [0, 1) and f32, another set for each sample and name.
Tensor random_target(size_t sample, const std::string& name, const Shape& shape) {
  uint64_t seed = 40 + sample;
  for (const char c : name) seed = seed * 131 + uint8_t(c);
  return uniform(shape, 0, 1, seed);
}

using Shapes = std::vector<std::pair<std::string, Shape>>;

std::vector<DataSample> targets(const Shapes& labels, const Shapes& fields) {
  std::vector<DataSample> samples(kBatch);
  for (size_t i = 0; i < kBatch; ++i) {
    samples[i].meta.input_size = {64, 48};
    samples[i].meta.more["skeleton_links"] = {
        Tensor::from(std::vector<int64_t>{0, 1, 0, 2}, {2, 2})};
    for (const auto& [name, shape] : labels)
      samples[i].labels[name] = {random_target(i, name, shape)};
    for (const auto& [name, shape] : fields)
      samples[i].fields[name] = {random_target(i, name, shape)};
  }
  return samples;
}

// Two people of five points on maps of 8 x 8.
std::vector<DataSample> tagged_people() {
  std::vector<DataSample> samples =
      targets({{"keypoint_weights", {2, 5}}}, {{"heatmaps", {5, 8, 8}}});
  std::vector<int64_t> indices;
  for (int64_t point = 0; point < 10; ++point) {
    indices.push_back(point * 5 % 64);
    indices.push_back(point != 3 ? 1 : 0);
  }
  for (DataSample& s : samples) s.labels["keypoint_indices"] = {Tensor::from(indices, {2, 5, 2})};
  return samples;
}

std::vector<DataSample> decoupled_people() {
  std::vector<DataSample> samples =
      targets({{"keypoint_weights", {2, 3}}},
              {{"heatmaps", {4, 12, 16}}, {"instance_heatmaps", {6, 12, 16}}});
  for (DataSample& s : samples)
    s.labels["instance_coords"] = {Tensor::from(std::vector<int32_t>{2, 3, 9, 8}, {2, 2})};
  return samples;
}

// One and two people as one-stage heads want them, in a picture of 64 x 48.
std::vector<DataSample> boxed_people(int64_t points, bool normalised) {
  std::vector<DataSample> samples(kBatch);
  for (size_t n = 0; n < kBatch; ++n) {
    const auto people = int64_t(n + 1);
    std::vector<float> boxes, places;
    for (int64_t i = 0; i < people; ++i) {
      const float x = 4 + 28 * float(i), y = 6 + 2 * float(n);
      if (normalised) {
        boxes.insert(boxes.end(), {(x + 12) / 64, (y + 16) / 48, 24.f / 64, 32.f / 48});
      } else {
        boxes.insert(boxes.end(), {x, y, x + 24, y + 32});
      }
      for (int64_t k = 0; k < points; ++k) {
        const float u = x + 3 + 6 * float(k % 4), v = y + 2 + 7 * float(k / 4);
        places.insert(places.end(), {normalised ? u / 64 : u, normalised ? v / 48 : v});
      }
    }
    TensorLists& labels = samples[n].labels;
    labels["bboxes"] = {Tensor::from(boxes, {people, 4})};
    labels["labels"] = {Tensor::zeros({people}, DType::i64)};
    labels["keypoints"] = {Tensor::from(places, {people, points, 2})};
    labels["keypoints_visible"] = {Tensor::full({people, points}, 1)};
    labels["areas"] = {Tensor::full({people}, normalised ? 400.0 / 64 / 48 : 400)};
    samples[n].meta.input_size = samples[n].meta.img_shape = {64, 48};
    samples[n].meta.more["batch_input_shape"] = {Tensor::from(std::vector<int64_t>{64, 48}, {2})};
  }
  return samples;
}

Tensor maps(int64_t h, int64_t w, int64_t c) {
  return uniform({int64_t(kBatch), h, w, c}, -1, 1, uint64_t(9 + h));
}

std::vector<TrainingFamily> made_families() {
  const Tensor picture = maps(64, 64, 3);
  const Shapes weights{{"keypoint_weights", {1, 5}}};
  const auto heat = [&](int64_t extent) {
    return targets(weights, {{"heatmaps", {5, extent, extent}}});
  };
  return {
      {"ResNet", kResNet, {picture}, heat(8)},
      {"HRNet", kHRNet, {picture}, heat(16)},
      {"RTMPose",
       kRTMPose,
       {picture},
       targets({{"keypoint_weights", {1, 5}},
                {"keypoint_x_labels", {1, 5, 128}},
                {"keypoint_y_labels", {1, 5, 128}}},
               {})},
      {"RTMW3D",
       kRTMW3D,
       {maps(4, 4, 8), maps(2, 2, 16)},
       targets({{"keypoint_weights", {1, 5}},
                {"weight_z", {1, 5}},
                {"with_z_label", {1}},
                {"keypoint_x_labels", {1, 5, 128}},
                {"keypoint_y_labels", {1, 5, 128}},
                {"keypoint_z_labels", {1, 5, 96}}},
               {})},
      {"RLE",
       kRLE,
       {uniform({int64_t(kBatch), 12}, -1, 1, 3)},
       targets({{"keypoint_weights", {1, 5}}, {"keypoint_labels", {1, 5, 2}}}, {})},
      {"ViT", kViT, {maps(32, 32, 3)}, heat(8)},
      {"AssociativeEmbedding", kAE, {picture}, tagged_people()},
      {"DEKR",
       kDEKR,
       {maps(12, 16, 6)},
       targets({}, {{"heatmaps", {4, 12, 16}},
                    {"heatmap_weights", {4, 12, 16}},
                    {"displacements", {6, 12, 16}},
                    {"displacement_weights", {6, 12, 16}}})},
      {"CID", kCID, {maps(12, 16, 6)}, decoupled_people()},
      {"YOLOXPose", kYOLOX, {maps(6, 8, 8), maps(3, 4, 8)}, boxed_people(17, false)},
      {"RTMO", kRTMO, {maps(6, 8, 16), maps(3, 4, 16)}, boxed_people(17, false)},
      {"EDPose", kEDPose, {maps(8, 6, 16), maps(4, 3, 16)}, boxed_people(3, true)},
      {"TCN",
       kTCN,
       {uniform({int64_t(kBatch), 34, 27}, -1, 1, 5)},
       targets({{"lifting_target_label", {1, 17, 3}}, {"lifting_target_weight", {1, 17}}}, {})},
      {"DSTFormer",
       kDSTFormer,
       {uniform({int64_t(kBatch), 5, 17, 3}, -1, 1, 6)},
       targets({{"lifting_target_label", {5, 17, 3}}, {"lifting_target_weight", {5, 17}}}, {})},
      {"InterNet",
       kInterNet,
       {maps(4, 4, 6)},
       targets({{"keypoint_weights", {1, 6}},
                {"root_depth", {1, 1}},
                {"root_depth_weight", {1, 1}},
                {"type", {1, 2}},
                {"type_weight", {1, 1}}},
               {{"heatmaps", {6, 32, 8}}})},
  };
}

}  // namespace

const std::vector<TrainingFamily>& training_families() {
  static const std::vector<TrainingFamily> all = made_families();
  return all;
}

TrainingNetwork::TrainingNetwork(const TrainingFamily& family, Device device)
    : family_(family), device_(device), store(7) {
  const Config config = Config::parse(family.model, family.name);
  if (config.has("backbone")) {
    estimator_ = make_estimator(config, Scope(store));
  } else {
    head_ = make_head(config, Scope(store));
  }
  // Deformable attention begins with samples exactly on pixels, where its gradient by the place
  // jumps: a rounding decides which side counts.
  for (const Parameter& p : store.all()) {
    if (!p.name.ends_with("sampling_offsets.bias")) continue;
    Tensor bias = p.value;
    bias.copy_from(bias + uniform(bias.shape(), -0.4, 0.4, 21));
  }
  store.to(device);
  store.train(true);
}

Features TrainingNetwork::inputs() const {
  Features inputs;
  for (const Tensor& input : family_.inputs) inputs.push_back(input.to(device_));
  return inputs;
}

Tensor TrainingNetwork::loss() const {
  op_random() = Random(3);
  const DeviceScope scope(device_);
  const Losses losses = estimator_ != nullptr ? estimator_->loss(inputs()[0], family_.samples)
                                              : head_->loss(inputs(), family_.samples);
  Tensor total;
  for (const auto& [name, value] : losses)
    if (name.find("loss") != std::string::npos)
      total = total.defined() ? total + mean(value) : mean(value);
  return total;
}

std::vector<Instances> TrainingNetwork::predict() const {
  const DeviceScope scope(device_);
  const TestOptions every = read_test_options(Config::parse(R"({"score_thr": 1e-6})", "test_cfg"));
  std::vector<Instances> all;
  for (Prediction& p : head_->predict(inputs(), nullptr, family_.samples, every))
    all.push_back(std::move(p.instances));
  return all;
}

}  // namespace limber::test
