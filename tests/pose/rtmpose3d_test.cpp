// RTMPose3D: the codec, losses, head and camera against numbers of MMPose's own
// (projects/rtmpose3d, run with PyTorch on inputs that the waves below are, too), and what it
// leaves out.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "autograd/autograd.h"
#include "nn/init.h"
#include "nn/optim/optimizer.h"
#include "nn/stored_layout.h"
#include "pose/estimators/topdown_3d.h"
#include "pose/losses/loss.h"
#include "tensor/op.h"
#include "tensor/ops.h"
#include "tests/support/learning.h"
#include "tests/support/tensors.h"

namespace limber {
namespace {

// low ... high, as sin(1.7 i + phase).
Tensor wave(const Shape& shape, double low, double high, double phase) {
  Tensor t = Tensor::empty(shape);
  for (int64_t i = 0; i < t.numel(); ++i)
    t.data<float>()[i] =
        float(low + (high - low) * (0.5 + 0.5 * std::sin(1.7 * double(i) + phase)));
  return t;
}

void expect_near(const Tensor& got, const std::vector<double>& wanted, double tolerance = 1e-5) {
  ASSERT_EQ(got.numel(), int64_t(wanted.size())) << got.shape();
  for (size_t i = 0; i < wanted.size(); ++i)
    EXPECT_NEAR(got.data<float>()[i], wanted[i], tolerance) << "at " << i;
}

std::string error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "no error";
}

constexpr const char* kCodec = R"({"type": "SimCC3DLabel", "input_size": [8, 16, 12],
    "sigma": [2.0, 2.5, 1.5], "simcc_split_ratio": 2.0, "normalize": false, "root_index": [1, 2]})";

std::unique_ptr<Codec> codec(const char* json = kCodec) {
  return make_codec(Config::parse(json, "codec"));
}

// Four points, of which the last lies far outside.
EncodeInput four_points(bool with_depth) {
  EncodeInput input;
  input.keypoints =
      Tensor::from(std::vector<float>{1.3f, 2.7f, 4.25f, 8.0f, 6.9f, 14.1f, 40, 3}, {1, 4, 2});
  input.visible = Tensor::full({1, 4}, 1);
  if (with_depth)
    input.more["keypoints_3d"] = {Tensor::from(
        std::vector<float>{0.1f, 0.2f, 5.0f, 0.2f, 0.3f, 4.6f, 0.3f, 0.1f, 4.9f, 0, 0, 4.7f},
        {1, 4, 3})};
  return input;
}

Tensor tops(const Tensor& labels) { return argmax(labels, -1).to(DType::f32); }

TEST(SimCC3DLabel, EncodesAsTheReferenceDoes) {
  TensorLists made = codec()->encode(four_points(true));
  ASSERT_EQ(made.at("keypoint_x_labels")[0].shape(), Shape({1, 4, 16}));
  expect_near(tops(made.at("keypoint_x_labels")[0]), {3, 8, 14, 0});
  expect_near(tops(made.at("keypoint_y_labels")[0]), {5, 16, 28, 0});
  expect_near(tops(made.at("keypoint_z_labels")[0]), {13, 11, 13, 0});
  expect_near(sum(made.at("keypoint_x_labels")[0], {2}), {4.820308, 5.0128326, 3.889125, 0});
  expect_near(sum(made.at("keypoint_y_labels")[0], {2}), {6.182676, 6.266571, 5.7693033, 0});
  expect_near(sum(made.at("keypoint_z_labels")[0], {2}), {3.7599423, 3.7599423, 3.7599423, 0});
  expect_near(slice(made.at("keypoint_z_labels")[0], 2, 8, 14),
              {0.0038659, 0.0285655, 0.1353353, 0.4111123, 0.8007374, 1,          //
               0.1353353, 0.4111123, 0.8007374, 1,         0.8007374, 0.4111123,  //
               0.0038659, 0.0285655, 0.1353353, 0.4111123, 0.8007374, 1,          //
               0,         0,         0,         0,         0,         0});
  for (const char* weights : {"keypoint_weights", "weight_z"})
    expect_near(made.at(weights)[0], {1, 1, 1, 0});
  expect_near(made.at("root_z")[0], {4.75});
  expect_near(made.at("with_z_label")[0], {1});
  EXPECT_EQ(made.at("lifting_target")[0].shape(), Shape({1, 4, 3}));
}

TEST(SimCC3DLabel, LearnsNoDepthOfPicturesWithout) {
  const TensorLists made = codec()->encode(four_points(false));
  expect_near(made.at("root_z")[0], {5.14388});
  expect_near(made.at("keypoint_weights")[0], {1, 1, 1, 0});
  expect_near(made.at("weight_z")[0], {0, 0, 0, 0});
  expect_near(made.at("with_z_label")[0], {0});
  expect_near(tops(made.at("keypoint_z_labels")[0]), {2, 2, 2, 0});
  EXPECT_FALSE(made.contains("lifting_target"));
}

TEST(SimCC3DLabel, NormalizesToDensities) {
  const auto densities = codec(R"({"type": "SimCC3DLabel", "input_size": [8, 16, 12],
      "sigma": [2.0, 2.5, 1.5], "root_index": [1, 2]})");
  const TensorLists made = densities->encode(four_points(true));
  const double peaks[] = {0.19947115, 0.15957691, 0.26596153};
  const char* const names[] = {"keypoint_x_labels", "keypoint_y_labels", "keypoint_z_labels"};
  for (size_t d = 0; d < 3; ++d)
    EXPECT_NEAR(made.at(names[d])[0].data<float>()[d == 0 ? 3 : d == 1 ? 5 : 13], peaks[d], 1e-6);
}

std::vector<Tensor> signals() {
  std::vector<Tensor> all{wave({1, 4, 16}, -1, 1, 0.1), wave({1, 4, 32}, -1, 1, 0.2),
                          wave({1, 4, 24}, -1, 1, 0.3)};
  for (float& v : all[0].span<float>().subspan(48)) v = -0.5;  // the last point is not there
  return all;
}

TEST(SimCC3DLabel, DecodesAsTheReferenceDoes) {
  const Decoded decoded = codec()->decode(signals());
  expect_near(decoded.keypoints,
              {6, 11.5, 1.9932796, 3.5, 14, -0.3624145, 1, 3.5, 1.9932796, -0.5, -0.5, -2.3556943});
  expect_near(decoded.more.at("keypoints_simcc")[0],
              {6, 11.5, 11.5, 3.5, 14, 5, 1, 3.5, 11.5, -0.5, -0.5, -0.5});
  expect_near(decoded.scores, {0.9968298, 0.9951785, 0.9760143, -0.5});
}

TEST(SimCC3DLabel, GivesBackWhatItEncodes) {
  for (const bool dark : {false, true}) {
    const auto c =
        codec(dark ? R"({"type": "SimCC3DLabel", "input_size": [48, 64, 48], "use_dark": true})"
                   : R"({"type": "SimCC3DLabel", "input_size": [48, 64, 48], "z_range": 1.5})");
    EncodeInput input;
    input.keypoints = Tensor::from(std::vector<float>{20.2f, 31.7f, 11.1f, 40.4f}, {1, 2, 2});
    input.more["keypoints_3d"] = {
        Tensor::from(std::vector<float>{0, 0, 4, 0, 0, 4.31f}, {1, 2, 3})};
    const TensorLists made = c->encode(input);
    const Tensor parts[] = {made.at("keypoint_x_labels")[0], made.at("keypoint_y_labels")[0],
                            made.at("keypoint_z_labels")[0]};
    const Decoded decoded = c->decode(parts);
    expect_near(slice(decoded.keypoints, 2, 0, 2), {20.2, 31.7, 11.1, 40.4}, 0.26);
    expect_near(slice(decoded.keypoints, 2, 2, 3), {0, 0.31}, 0.03);
  }
}

TEST(SimCC3DLabel, NamesWhatIsWrong) {
  const auto made = [](const char* json) { return error_of([&] { codec(json); }); };
  EXPECT_NE(made(R"({"type": "SimCC3DLabel", "input_size": [8, 16]})")
                .find("input_size: a width, a height and a depth are wanted"),
            std::string::npos);
  EXPECT_NE(made(R"({"type": "SimCC3DLabel", "input_size": [8, 16, 8], "sigma": [1, 2]})")
                .find("sigma: one number or three, not 2"),
            std::string::npos);
  EXPECT_NE(made(R"({"type": "SimCC3DLabel", "input_size": [8, 16, 8], "z_range": 0})")
                .find("z_range: must be positive, not 0"),
            std::string::npos);
  EncodeInput input = four_points(true);
  input.more["keypoints_3d"] = {Tensor::zeros({1, 3, 3})};
  EXPECT_NE(error_of([&] {
              codec()->encode(input);
            }).find("SimCC3DLabel: keypoints_3d (1, 3, 3), (1, 4, 3) is wanted"),
            std::string::npos);
  std::vector<Tensor> two = signals();
  two.pop_back();
  EXPECT_NE(error_of([&] { codec()->decode(two); }).find("simcc_x, simcc_y and simcc_z"),
            std::string::npos);
  std::vector<Tensor> wide = signals();
  wide[2] = wide[1];
  EXPECT_NE(error_of([&] { codec()->decode(wide); }).find("simcc_z (1, 4, 32), (N, K, 24)"),
            std::string::npos);
}

// Labels of two pictures, the depth of the second only.
struct Targets {
  Tensor x = wave({2, 4, 16}, 0, 1, 0.8), y = wave({2, 4, 32}, 0, 1, 0.9),
         z = wave({2, 4, 24}, 0, 1, 1.0);
  Tensor weight = Tensor::from(std::vector<float>{1, 0.5, 1, 0, 1, 1, 0, 1}, {2, 4});
  Tensor weight_z = Tensor::from(std::vector<float>{0, 0, 0, 0, 1, 1, 0, 1}, {2, 4});

  std::vector<DataSample> samples() const {
    std::vector<DataSample> all(2);
    for (int64_t n = 0; n < 2; ++n) {
      TensorLists& labels = all[size_t(n)].labels;
      const auto row = [n](const Tensor& t) { return slice(t, 0, n, n + 1).clone(); };
      labels["keypoint_x_labels"] = {row(x)};
      labels["keypoint_y_labels"] = {row(y)};
      labels["keypoint_z_labels"] = {row(z)};
      labels["keypoint_weights"] = {row(weight)};
      labels["weight_z"] = {row(weight_z)};
      labels["with_z_label"] = {Tensor::full({1}, double(n))};
    }
    return all;
  }
};

TEST(KLDiscretLossWithWeight, AgreesWithTheReference) {
  const auto value = [](const char* json, const Tensor& weight) {
    ParameterStore store;
    const Targets t;
    return make_loss(Config::parse(json, "loss"), Scope(store))
        ->single({.outputs = {wave({2, 4, 16}, -1, 1, 0.5), wave({2, 4, 32}, -1, 1, 0.6),
                              wave({2, 4, 24}, -1, 1, 0.7)},
                  .targets = {t.x, t.y, t.z},
                  .weight = weight,
                  .mask = {}})
        .item();
  };
  const Targets t;
  const Tensor one = reshape(t.weight, {1, 2, 4});
  const Tensor weight = concat({one, one, reshape(t.weight_z, {1, 2, 4})}, 0);
  constexpr const char* kPlain =
      R"({"type": "KLDiscretLossWithWeight", "beta": 10.0, "label_softmax": true})";
  EXPECT_NEAR(value(kPlain, weight), 0.08577466, 1e-6);
  EXPECT_NEAR(value(R"({"type": "KLDiscretLoss2", "beta": 10.0, "label_softmax": true,
                        "mask": [1], "mask_weight": 0.5})",
                    weight),
              0.07419495, 1e-6);
  EXPECT_NE(error_of([&] { value(kPlain, t.weight); }).find("(axes, N, K) is wanted"),
            std::string::npos);
}

std::string head_json(const std::string& more = "") {
  return R"({"type": "RTMW3DHead", "in_channels": 16, "out_channels": 4, "input_size": [8, 16, 12],
      "in_featuremap_size": [2, 4, 3], "simcc_split_ratio": 2.0, "final_layer_kernel_size": 3,
      "gau_cfg": {"hidden_dims": 8, "s": 4, "expansion_factor": 2, "dropout_rate": 0.0,
                  "drop_path": 0.0, "act_fn": "SiLU", "use_rel_bias": false, "pos_enc": false},
      "loss": [{"type": "KLDiscretLossWithWeight", "use_target_weight": true, "beta": 10.0,
                "label_softmax": true},
               {"type": "BoneLoss", "joint_parents": [0, 0, 1, 1], "use_target_weight": true,
                "loss_weight": 2.0}],
      "decoder": )" +
         std::string(kCodec) + more + "}";
}

struct Made {
  ParameterStore store{1};
  std::unique_ptr<Head> head;
  explicit Made(const std::string& json = head_json())
      : head(make_head(Config::parse(json, "head"), Scope(store))) {
    std::vector<const Parameter*> all;
    for (const Parameter& p : store.all())
      if (p.role != Role::constant && !p.name.ends_with("num_batches_tracked")) all.push_back(&p);
    std::ranges::sort(all, {}, &Parameter::name);
    for (size_t i = 0; i < all.size(); ++i) {
      const bool positive = all[i]->name.ends_with("running_var");
      load_stored(*all[i], wave(all[i]->stored_shape, positive ? 0.5 : -0.4, positive ? 1.5 : 0.4,
                                double(i)));
    }
    names = all.size();
  }
  size_t names = 0;
};

// (2, C, H, W) as PyTorch lays it out -> (2, H, W, C).
Tensor channels_last(const Tensor& t) { return permute(t, {0, 2, 3, 1}); }

Features features() {
  return {channels_last(wave({2, 8, 8, 4}, -1, 1, 1)),
          channels_last(wave({2, 16, 4, 2}, -1, 1, 2))};
}

TEST(RTMW3DHead, HasTheReferencesParametersAndOutputs) {
  Made made;
  EXPECT_EQ(made.names, 28u);
  EXPECT_EQ(made.store.at("cls_z.weight").stored_shape, Shape({24, 8}));
  EXPECT_EQ(made.store.at("conv_dec.conv.weight").stored_shape, Shape({4, 4, 3, 3}));
  const Outputs out = made.head->forward(features());
  ASSERT_EQ(out.size(), 3u);
  struct {
    Shape shape;
    double total, absolute;
    std::vector<double> some;
  } const wanted[] = {
      {{2, 4, 16}, 0.48810404, 6.83156073, {-0.0072979, 0.0994798, 0.1091063, 0.0121804}},
      {{2, 4, 32}, 0.38799585, 14.45265558, {0.0971459, 0.1107529, 0.0161995, -0.0941742}},
      {{2, 4, 24}, -0.08532322, 10.67124156, {0.1122741, 0.0202002, -0.0916011, -0.1139455}}};
  for (size_t d = 0; d < 3; ++d) {
    const Tensor& t = out[d].second;
    EXPECT_EQ(out[d].first, std::to_string(d));
    ASSERT_EQ(t.shape(), wanted[d].shape);
    EXPECT_NEAR(sum(t).item(), wanted[d].total, 1e-4);
    EXPECT_NEAR(sum(abs(t)).item(), wanted[d].absolute, 1e-4);
    expect_near(slice(slice(slice(t, 0, 1, 2), 1, 2, 3), 2, 0, 4), wanted[d].some);
  }
}

TEST(RTMW3DHead, HasTheReferencesLosses) {
  const Made made;
  const std::map<std::string, double> wanted{
      {"loss_kld", 0.22029820}, {"loss_bone", 9.2934036}, {"mpjpe", 8.6494837}};
  const Losses losses = made.head->loss(features(), Targets().samples());
  ASSERT_EQ(losses.size(), wanted.size());
  for (const auto& [name, value] : losses) EXPECT_NEAR(value.item(), wanted.at(name), 1e-5) << name;
}

TEST(RTMW3DHead, PredictsAsTheReferenceDoes) {
  const Made made;
  const auto found = made.head->predict(features(), nullptr, std::vector<DataSample>(2), {});
  ASSERT_EQ(found.size(), 2u);
  expect_near(found[0].instances.keypoints,
              {2.5, 2, -1.6308651, 7, 12.5, 1.0872434, 5.5, 8, 0.5436217, 0, 2.5, -1.4496578});
  expect_near(found[1].instances.keypoints,
              {7, 9.5, 1.0872434, 2, 14, 1.6308651, 7, 15.5, 1.0872434, 7, 12.5, 1.0872434});
  expect_near(found[0].instances.keypoint_scores, {0.0409931, 0.0877401, 0.1438103, 0.0263981});
  expect_near(found[1].instances.keypoint_scores, {0.1468847, 0.0147733, 0.1158988, 0.0943228});
}

// MMPose's head takes no flipped features. If both images give the same, left must become right
// along x, and swap its depth.
TEST(RTMW3DHead, FlipTestMirrorsTheFirstAxisOnly) {
  const Made made;
  const Features maps = features();
  const Outputs out = made.head->forward(maps);
  std::vector<DataSample> samples(2);
  for (DataSample& sample : samples) sample.meta.flip_indices = {0, 2, 1, 3};
  const auto mean_with_other = [&](size_t d) {
    const Tensor& t = out[d].second;
    const Tensor at = Tensor::from(std::vector<int64_t>{0, 2, 1, 3}, {4});
    const Tensor other = index_select(t, 1, at);
    return (t + (d == 0 ? flip(other, 2) : other)) * 0.5;
  };
  const auto found = made.head->predict(maps, &maps, samples, {});
  for (size_t n = 0; n < 2; ++n) {
    std::vector<Tensor> parts;
    for (size_t d = 0; d < 3; ++d) parts.push_back(sample_of(mean_with_other(d), n));
    const Tensor wanted = codec()->decode(parts).keypoints;
    const std::span<const float> all = wanted.span<float>();
    expect_near(found[n].instances.keypoints, {all.begin(), all.end()});
  }
}

TEST(RTMW3DHead, NamesWhatIsWrong) {
  const auto broken = [](const std::string& what, const std::string& with) {
    std::string json = head_json();
    json.replace(json.find(what), what.size(), with);
    return error_of([&] { Made made(json); });
  };
  EXPECT_NE(broken("\"input_size\": [8, 16, 12]", "\"input_size\": [8, 16]")
                .find("input_size: a width, a height and a depth are wanted"),
            std::string::npos);
  EXPECT_NE(broken("KLDiscretLossWithWeight", "KLDiscretLoss").find("loss.0.type"),
            std::string::npos)
      << broken("KLDiscretLossWithWeight", "KLDiscretLoss");
  const Made made;
  TestOptions test;
  test.output_heatmaps = true;
  EXPECT_THROW(made.head->predict(features(), nullptr, std::vector<DataSample>(2), test),
               InputError);
  auto samples = Targets().samples();
  samples[0].labels.erase("keypoint_z_labels");
  EXPECT_NE(error_of([&] { made.head->loss(features(), samples); }).find("keypoint_z_labels"),
            std::string::npos);
}

TEST(TopdownPoseEstimator3D, CameraSpaceIsTheReferences) {
  const std::vector<float> pixels{67.5f,  58.125f, 1.9932796f, 58.125f, 67.5f,   -0.3624145f,
                                  48.75f, 28.125f, 1.9932796f, 43.125f, 13.125f, -2.3556943f};
  const Tensor standard = Tensor::from(pixels, {1, 4, 3}), own = standard.clone();
  // Of a picture 90 high and 120 wide.
  to_camera_space(standard, {{1145.04940459f, 1143.78109572f}, {45, 60}}, 5.14388f);
  expect_near(standard, {0.1402438, -0.0116999, 7.1371596, 0.054807, 0.031353, 4.7814655, 0.023374,
                         -0.198899, 7.1371596, -0.0045656, -0.1142668, 2.7881857});
  to_camera_space(own, {{1000, 1100}, {30, 20}}, 4.5f);
  expect_near(own, {0.243498, 0.2250512, 6.4932795, 0.1163696, 0.1786685, 4.1375856, 0.121749,
                    0.0479617, 6.4932795, 0.028144, -0.0134019, 2.1443057});
}

std::string model_json(const std::string& mode) {
  return R"({"type": "TopdownPoseEstimator3D", "backbone": {"type": "CSPNeXt", "arch": "P5",
      "deepen_factor": 0.167, "widen_factor": 0.125, "out_indices": [2, 3, 4],
      "channel_attention": true}, "neck": {"type": "CSPNeXtPAFPN",
      "in_channels": [32, 64, 128], "out_channels": null, "out_indices": [1, 2],
      "num_csp_blocks": 1}, "head": {"type": "RTMW3DHead", "in_channels": 128, "out_channels": 3,
      "input_size": [64, 64, 64], "in_featuremap_size": [2, 2, 2], "final_layer_kernel_size": 3,
      "gau_cfg": {"hidden_dims": 32, "s": 16}, "loss": [{"type": "KLDiscretLossWithWeight",
      "beta": 10.0, "label_softmax": true}, {"type": "BoneLoss", "joint_parents": [0, 0, 1],
      "use_target_weight": true}], "decoder": {"type": "SimCC3DLabel",
      "input_size": [64, 64, 64], "sigma": 3.0, "normalize": false}}, "test_cfg": {"mode": ")" +
         mode + "\"}}";
}

struct MadeModel {
  ParameterStore store{4};
  std::unique_ptr<Estimator> model;
  explicit MadeModel(const std::string& mode = "3d")
      : model(make_estimator(Config::parse(model_json(mode), "model"), Scope(store))) {
    // Heads start with logits near 0, which tell nothing apart.
    store.initialise_layers("head", "Conv2d", "weight", init::normal(0, 0.1));
    store.initialise_layers("head", "Linear", "weight", init::normal(0, 0.2));
  }
};

// Two crops of pictures 90 high and 120 wide; the second knows its camera.
std::vector<DataSample> crops() {
  std::vector<DataSample> samples(2);
  for (DataSample& s : samples) {
    s.meta.ori_shape = {90, 120};
    s.meta.input_size = {64, 64};
    s.meta.input_center = {60, 45};
    s.meta.input_scale = {32, 32};
    s.gt_instances.more["root_z"] = {Tensor::full({1}, 5)};
  }
  TensorLists& more = samples[1].gt_instances.more;
  more["camera_param/f"] = {Tensor::full({2}, 1000)};
  more["camera_param/c"] = {Tensor::full({2}, 50)};
  return samples;
}

TEST(TopdownPoseEstimator3D, ModesAreOneFindingInOtherUnits) {
  const Tensor images = test::uniform({2, 64, 64, 3}, -1, 1, 9);
  std::map<std::string, std::vector<DataSample>> by_mode;
  for (const char* mode : {"vis", "2d", "3d"}) {
    by_mode[mode] = crops();
    MadeModel(mode).model->predict(images, by_mode[mode]);
  }
  for (size_t n = 0; n < 2; ++n) {
    const Instances &vis = by_mode["vis"][n].pred_instances,
                    &flat = by_mode["2d"][n].pred_instances,
                    &space = by_mode["3d"][n].pred_instances;
    ASSERT_EQ(vis.keypoints.shape(), Shape({1, 3, 3}));
    ASSERT_EQ(flat.keypoints.shape(), Shape({1, 3, 2}));
    ASSERT_EQ(space.keypoints.shape(), Shape({1, 3, 3}));
    std::vector<double> pixels, metres;
    for (int64_t k = 0; k < 3; ++k) {
      const float* p = vis.keypoints.data<float>() + 3 * k;
      const double x = p[0] / 64 * 32 + 60 - 16, y = p[1] / 64 * 32 + 45 - 16;
      const double z = (p[2] / 32 - 1) * 2.1744869 + 5;
      pixels.insert(pixels.end(), {x, y});
      if (n == 0)
        metres.insert(metres.end(),
                      {(x - 45) / 1145.04940459 * z, (y - 60) / 1143.78109572 * z, z});
      else
        metres.insert(metres.end(), {(x - 50) / 1000 * z, (y - 50) / 1000 * z, z});
    }
    expect_near(flat.keypoints, pixels, 1e-4);
    expect_near(space.keypoints, metres, 1e-5);
    for (const Instances* found : {&vis, &flat, &space})
      expect_near(found->more.at("transformed_keypoints")[0], pixels, 1e-4);
  }
}

TEST(TopdownPoseEstimator3D, NamesWhatIsWrong) {
  EXPECT_NE(error_of([] {
              MadeModel made("4d");
            }).find("test_cfg.mode: unknown value \"4d\", known are 2d, 3d, vis"),
            std::string::npos);
  const MadeModel made;
  auto samples = crops();
  samples[0].gt_instances.more.erase("root_z");
  samples[0].meta.img_path = "a.jpg";
  const Tensor images = Tensor::zeros({2, 64, 64, 3});
  EXPECT_NE(error_of([&] {
              made.model->predict(images, samples);
            }).find("a.jpg: the sample has no root_z"),
            std::string::npos);
  samples = crops();
  samples[1].gt_instances.more.erase("camera_param/c");
  EXPECT_NE(error_of([&] { made.model->predict(images, samples); }).find("camera_param f and c"),
            std::string::npos);
}

// Four pictures, half of them without depth: the loss falls to a fraction, and so does the
// distance.
TEST(TopdownPoseEstimator3D, Learns) {
  MadeModel made;
  const Tensor images = test::uniform({4, 64, 64, 3}, -1, 1, 9);
  const auto label = make_codec(Config::parse(R"({"type": "SimCC3DLabel",
      "input_size": [64, 64, 64], "sigma": 3.0, "normalize": false})"));
  std::vector<DataSample> samples(4);
  for (size_t i = 0; i < 4; ++i) {
    EncodeInput input;
    input.keypoints = test::uniform({1, 3, 2}, 8, 56, 20 + i);
    if (i % 2 == 0) input.more["keypoints_3d"] = {test::uniform({1, 3, 3}, 4, 5, 30 + i)};
    const TensorLists made_labels = label->encode(input);
    for (const auto& [packed, name] : label->label_mapping())
      samples[i].labels[packed] = made_labels.at(name);
  }
  made.store.train(true);
  Optimizer optimizer(OptimizerOptions::defaults(OptimizerKind::adam),
                      {test::learning_group(made.store, 2e-3)});
  std::vector<std::map<std::string, double>> steps;
  for (int step = 0; step < 120; ++step) {
    Tape tape;
    Tensor total;
    steps.emplace_back();
    for (const auto& [name, value] : made.model->loss(images, samples)) {
      steps.back()[name] = value.item();
      if (name == "loss_kld") total = value;
      if (name == "loss_bone") total = total + value;  // a constant to the weights
    }
    tape.backward(total);
    optimizer.step();
    optimizer.zero_grad();
  }
  EXPECT_LT(steps.back()["loss_kld"], 0.1 * steps.front()["loss_kld"]);
  EXPECT_LT(steps.back()["mpjpe"], 0.5 * steps.front()["mpjpe"]);
}

}  // namespace
}  // namespace limber
