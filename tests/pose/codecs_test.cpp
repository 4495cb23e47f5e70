// Codecs: what is encoded comes back, and what cannot be encoded says so.
#include "pose/codecs/codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "pose/codecs/blur.h"
#include "pose/codecs/heatmap_ops.h"
#include "pose/codecs/instance_ops.h"
#include "pose/codecs/peaks.h"
#include "tensor/random.h"

namespace limber {
namespace {

std::unique_ptr<Codec> codec_of(const std::string& json) {
  return make_codec(Config::parse(json, "codec"));
}

std::string error_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// Key points of one person all over a 192 x 256 input, and two off it: far, and by a few pixels.
EncodeInput person() {
  std::vector<float> xy;
  for (int k = 0; k < 15; ++k) {
    xy.push_back(20.3f + 10.37f * float(k));
    xy.push_back(20.9f + float(37 * k % 211));
  }
  xy.insert(xy.end(), {-300, 100, 90, 700});
  EncodeInput input;
  input.keypoints = Tensor::from(xy, {1, 17, 2});
  return input;
}

struct RoundTrip {
  const char* name;
  const char* config;
  std::vector<const char*> outputs;  // of encode(), in decode()'s order
  double bound;                      // largest error of a coordinate, input pixels
};

class CodecRoundTrip : public testing::TestWithParam<RoundTrip> {};

TEST_P(CodecRoundTrip, ReturnsKeyPointsWithinItsPrecision) {
  const auto codec = codec_of(GetParam().config);
  const EncodeInput input = person();
  const TensorLists encoded = codec->encode(input);
  std::vector<Tensor> outputs;
  for (const char* name : GetParam().outputs) outputs.push_back(encoded.at(name)[0]);
  const Decoded decoded = codec->decode(outputs);
  ASSERT_EQ(decoded.keypoints.shape(), Shape({1, 17, 2}));
  ASSERT_EQ(decoded.scores.shape(), Shape({1, 17}));
  const Tensor weights = encoded.at("keypoint_weights")[0];
  for (int64_t k = 0; k < 17; ++k) {
    EXPECT_EQ(weights.data<float>()[k], k < 15 ? 1 : 0) << "key point " << k;
    if (k >= 15) continue;
    for (int64_t i = 2 * k; i < 2 * k + 2; ++i)
      EXPECT_NEAR(decoded.keypoints.data<float>()[i], input.keypoints.data<float>()[i],
                  GetParam().bound)
          << "key point " << k;
  }
}

// Rounded maps are 4 pixels apart and a quarter of that is guessed; UDP decodes to the input's size
// where it encoded from size - 1, which is up to one pixel at the far border.
const RoundTrip kRoundTrips[] = {
    {"MSRA",
     R"({"type": "MSRAHeatmap", "input_size": [192, 256], "heatmap_size": [48, 64],
                 "sigma": 2})",
     {"heatmaps"},
     2.01},
    {"DARK",
     R"({"type": "MSRAHeatmap", "input_size": [192, 256], "heatmap_size": [48, 64],
                 "sigma": 2, "unbiased": true})",
     {"heatmaps"},
     0.1},
    {"UDP",
     R"({"type": "UDPHeatmap", "input_size": [192, 256], "heatmap_size": [48, 64]})",
     {"heatmaps"},
     1.1},
    {"Megvii",
     R"({"type": "MegviiHeatmap", "input_size": [192, 256], "heatmap_size": [48, 64],
                   "kernel_size": 11})",
     {"heatmaps"},
     3.01},
    {"SimCC",
     R"({"type": "SimCCLabel", "input_size": [192, 256], "sigma": [4.9, 5.66]})",
     {"keypoint_x_labels", "keypoint_y_labels"},
     0.26},
    {"SimCCOneHot",
     R"({"type": "SimCCLabel", "input_size": [192, 256],
                        "smoothing_type": "standard", "label_smooth_weight": 0.1})",
     {"keypoint_x_labels", "keypoint_y_labels"},
     0.26},
    {"SimCCDark",
     R"({"type": "SimCCLabel", "input_size": [192, 256], "use_dark": true,
                      "normalize": false})",
     {"keypoint_x_labels", "keypoint_y_labels"},
     0.3},
    {"Regression",
     R"({"type": "RegressionLabel", "input_size": [192, 256]})",
     {"keypoint_labels"},
     1e-4},
    {"Integral",
     R"({"type": "IntegralRegressionLabel", "input_size": [192, 256],
                     "heatmap_size": [48, 64], "sigma": 2})",
     {"keypoint_labels"},
     1e-4},
};

INSTANTIATE_TEST_SUITE_P(TopDown, CodecRoundTrip, testing::ValuesIn(kRoundTrips),
                         [](const auto& row) { return row.param.name; });

TEST(Codecs, UdpCombinedReturnsInteriorKeyPoints) {
  const auto codec = codec_of(R"({"type": "UDPHeatmap", "heatmap_type": "combined",
      "input_size": [192, 256], "heatmap_size": [48, 64]})");
  EncodeInput input;
  input.keypoints = Tensor::from(std::vector<float>{60.4f, 101.7f, 120.9f, 180.2f}, {1, 2, 2});
  const Decoded decoded = codec->decode(codec->encode(input).at("heatmaps"));
  for (int64_t i = 0; i < 4; ++i)
    EXPECT_NEAR(decoded.keypoints.data<float>()[i], input.keypoints.data<float>()[i], 1.1);
}

TEST(Codecs, GaussiansOfRoundedPointsPeakAtOne) {
  const auto codec = codec_of(R"({"type": "MSRAHeatmap", "input_size": [192, 256],
      "heatmap_size": [48, 64], "sigma": 2})");
  const Tensor maps = codec->encode(person()).at("heatmaps")[0];
  const Peaks peaks = find_peaks(maps);
  for (int64_t k = 0; k < 17; ++k) EXPECT_EQ(peaks.values.data<float>()[k], k < 15 ? 1 : 0);
}

TEST(Codecs, IntegralMapsSumToOne) {
  const auto codec = codec_of(R"({"type": "IntegralRegressionLabel", "input_size": [192, 256],
      "heatmap_size": [48, 64], "sigma": 2})");
  const Tensor maps = codec->encode(person()).at("heatmaps")[0];
  for (int64_t k = 0; k < 15; ++k) {
    double sum = 0;
    for (float v : maps.span<float>().subspan(size_t(k * 48 * 64), 48 * 64)) sum += v;
    EXPECT_NEAR(sum, 1, 1e-5);
  }
}

TEST(Codecs, InvisibleKeyPointsLeaveNoTrace) {
  for (const RoundTrip& row : kRoundTrips) {
    EncodeInput input = person();
    input.visible = Tensor::zeros({1, 17});
    const TensorLists encoded = codec_of(row.config)->encode(input);
    for (float w : encoded.at("keypoint_weights")[0].span<float>()) EXPECT_EQ(w, 0) << row.name;
    if (encoded.contains("heatmaps")) {
      for (float v : encoded.at("heatmaps")[0].span<float>()) ASSERT_EQ(v, 0) << row.name;
    }
  }
}

TEST(Codecs, OnePersonCodecsRefuseTwo) {
  EncodeInput two;
  two.keypoints = Tensor::zeros({2, 17, 2});
  for (const RoundTrip& row : {kRoundTrips[0], kRoundTrips[2], kRoundTrips[3]}) {
    const std::string error = error_of([&] { codec_of(row.config)->encode(two); });
    EXPECT_NE(error.find("one instance a sample, not 2"), std::string::npos) << error;
  }
}

TEST(Codecs, WrongShapesAreNamed) {
  const auto msra = codec_of(kRoundTrips[0].config);
  const Tensor maps[] = {Tensor::zeros({17, 48, 64})};
  EXPECT_NE(error_of([&] { msra->decode(maps); }).find("(17, 48, 64), (K, 64, 48) is wanted"),
            std::string::npos);
  EncodeInput input;
  input.keypoints = Tensor::zeros({1, 17, 3});
  EXPECT_NE(error_of([&] { msra->encode(input); }).find("(N, K, 2) is wanted"), std::string::npos);
  input.keypoints = Tensor::zeros({1, 17, 2});
  input.visible = Tensor::zeros({1, 16});
  EXPECT_NE(error_of([&] { msra->encode(input); }).find("visibility (1, 16)"), std::string::npos);
}

TEST(Codecs, UnknownOptionsNameTheKnownOnes) {
  const auto error = [](const char* config) { return error_of([&] { codec_of(config); }); };
  EXPECT_NE(error(R"({"type": "UDPHeatmap", "input_size": [192, 256], "heatmap_size": [48, 64],
                      "heatmap_type": "gauss"})")
                .find("gaussian, combined"),
            std::string::npos);
  EXPECT_NE(error(R"({"type": "SimCCLabel", "input_size": [192, 256],
                      "smoothing_type": "none"})")
                .find("gaussian, standard"),
            std::string::npos);
  EXPECT_NE(error(R"({"type": "SimCCLabel", "input_size": [192, 256],
                      "label_smooth_weight": 0.1})")
                .find("standard"),
            std::string::npos);
  EXPECT_NE(error(R"({"type": "MSRAHeatmaps"})").find("MSRAHeatmap"), std::string::npos);
  EXPECT_NE(error(R"({"type": "RegressionLabel", "input_size": [192, 256],
                      "inputsize": 3})")
                .find("input_size"),
            std::string::npos);
}

// Two people far from each other, all key points visible.
EncodeInput two_people() {
  std::vector<float> xy;
  for (int n = 0; n < 2; ++n)
    for (int k = 0; k < 5; ++k) {
      xy.push_back(40.0f + 120.0f * float(n) + 11.3f * float(k));
      xy.push_back(60.0f + 40.0f * float(n) + float(29 * k % 67));
    }
  EncodeInput input;
  input.keypoints = Tensor::from(xy, {2, 5, 2});
  return input;
}

void expect_same_people(const Tensor& found, const Tensor& wanted, double bound) {
  ASSERT_EQ(found.shape(), wanted.shape());
  const int64_t each = wanted.numel() / 2;
  const bool swapped = std::abs(found.data<float>()[0] - wanted.data<float>()[0]) > 60;
  for (int64_t i = 0; i < wanted.numel(); ++i)
    EXPECT_NEAR(found.data<float>()[swapped ? (i + each) % (2 * each) : i], wanted.data<float>()[i],
                bound);
}

TEST(Codecs, SprReturnsPeople) {
  const auto codec = codec_of(R"({"type": "SPR", "input_size": [256, 256],
      "heatmap_size": [64, 64], "sigma": [4, 2], "generate_keypoint_heatmaps": true})");
  const EncodeInput input = two_people();
  const TensorLists encoded = codec->encode(input);
  const Tensor outputs[] = {encoded.at("heatmaps")[0], encoded.at("displacements")[0]};
  const Decoded decoded = codec->decode(outputs);
  expect_same_people(decoded.keypoints, input.keypoints, 1e-3);
  for (float score : decoded.instance_scores.span<float>()) EXPECT_EQ(score, 1);
  for (float score : decoded.scores.span<float>()) EXPECT_GT(score, 0.85f);
}

TEST(Codecs, SprLeavesOutThoseWhoAreTooSmall) {
  const auto codec = codec_of(R"({"type": "SPR", "input_size": [256, 256],
      "heatmap_size": [64, 64], "sigma": 4, "minimal_diagonal_length": 60})");
  const TensorLists encoded = codec->encode(two_people());
  for (float v : encoded.at("heatmaps")[0].span<float>()) ASSERT_EQ(v, 0);
  const Tensor outputs[] = {encoded.at("heatmaps")[0], encoded.at("displacements")[0]};
  EXPECT_EQ(codec->decode(outputs).keypoints.shape(), Shape({0, 5, 2}));
}

// Maps of mostly zeros or of none, wider and narrower than what is looked at at once.
TEST(TopLocalMaxima, AreTheLargestThatSuppressionKeeps) {
  Random random(3);
  for (const Size size : {Size{37, 29}, Size{64, 48}, Size{130, 90}})
    for (const double share : {0.005, 1.0}) {
      const Tensor map = Tensor::zeros({1, size.height, size.width});
      for (float& v : map.span<float>())
        if (random.chance(share)) v = float(random.uniform(-0.2, 1));
      const Tensor kept = keep_local_maxima(map, 5);
      std::vector<float> expected;
      for (float v : kept.span<float>())
        if (v > 0.1f) expected.push_back(v);
      std::ranges::sort(expected, std::greater<>());
      expected.resize(std::min<size_t>(expected.size(), 20));
      std::vector<float> found;
      for (const LocalMaximum& m : top_local_maxima(map.data<float>(), size, 5, 20, 0.1f)) {
        EXPECT_EQ(m.value, map.data<float>()[m.y * size.width + m.x]);
        found.push_back(m.value);
      }
      EXPECT_EQ(found, expected) << size.width << " wide, " << share;
      EXPECT_FALSE(found.empty());
    }
}

TEST(Codecs, AssociativeEmbeddingGroupsByTag) {
  for (const char* udp : {"false", "true"}) {
    const auto codec = codec_of(std::string(R"({"type": "AssociativeEmbedding",
        "input_size": [256, 256], "heatmap_size": [64, 64], "sigma": 2, "use_udp": )") +
                                udp + "}");
    const EncodeInput input = two_people();
    const TensorLists encoded = codec->encode(input);
    Tensor tags = Tensor::zeros({5, 64, 64});
    const int64_t* indices = encoded.at("keypoint_indices")[0].data<int64_t>();
    for (int64_t n = 0; n < 2; ++n)
      for (int64_t k = 0; k < 5; ++k) {
        EXPECT_EQ(indices[(n * 5 + k) * 2 + 1], 1);
        tags.data<float>()[k * 64 * 64 + indices[(n * 5 + k) * 2]] = 5 + 3 * float(n);
      }
    const Tensor outputs[] = {encoded.at("heatmaps")[0], tags};
    const Decoded decoded = codec->decode(outputs);
    expect_same_people(decoded.keypoints, input.keypoints, 2.01);
    for (float score : decoded.instance_scores.span<float>()) EXPECT_GT(score, 0.85f);
  }
}

// Both pixels of an equal maximum at the border of an enlarged map are one person.
TEST(Codecs, AssociativeEmbeddingJoinsWhoBeginsWithTheSameTag) {
  const auto codec = codec_of(R"({"type": "AssociativeEmbedding", "input_size": [32, 32],
      "heatmap_size": [32, 32]})");
  const Tensor heat = Tensor::zeros({2, 32, 32}), tags = Tensor::full({2, 32, 32}, 9);
  const auto put = [&](int64_t k, int64_t x, int64_t y, float tag) {
    heat.data<float>()[(k * 32 + y) * 32 + x] = 0.5f;
    tags.data<float>()[(k * 32 + y) * 32 + x] = tag;
  };
  put(0, 0, 7, 4);
  put(0, 1, 7, 4);
  put(0, 20, 7, 1);
  put(1, 5, 12, 4);
  put(1, 20, 12, 1);
  const Tensor outputs[] = {heat, tags};
  const Decoded decoded = codec->decode(outputs);
  ASSERT_EQ(decoded.keypoints.size(0), 2);
  for (float score : decoded.instance_scores.span<float>()) EXPECT_EQ(score, 0.5f);
}

TEST(Codecs, AssociativeEmbeddingFindsNobodyOnEmptyMaps) {
  const auto codec = codec_of(R"({"type": "AssociativeEmbedding", "input_size": [256, 256],
      "heatmap_size": [64, 64], "use_udp": true})");
  const Tensor outputs[] = {Tensor::zeros({5, 64, 64}), Tensor::zeros({5, 64, 64})};
  EXPECT_EQ(codec->decode(outputs).keypoints.shape(), Shape({0, 5, 2}));
}

TEST(Codecs, DecoupledHeatmapReturnsPeople) {
  const auto codec = codec_of(R"({"type": "DecoupledHeatmap", "input_size": [256, 256],
      "heatmap_size": [64, 64]})");
  EncodeInput input = two_people();
  EXPECT_NE(error_of([&] { codec->encode(input); }).find("generator"), std::string::npos);
  Random random(3);
  input.random = &random;
  const TensorLists encoded = codec->encode(input);
  ASSERT_EQ(encoded.at("heatmaps")[0].shape(), Shape({6, 64, 64}));
  const Tensor outputs[] = {encoded.at("instance_heatmaps")[0], Tensor::full({2, 1}, 0.5)};
  const Decoded decoded = codec->decode(outputs);
  // Half a map pixel from rounding, and one because Gaussians of any width are drawn in whole
  // pixels.
  expect_same_people(decoded.keypoints, input.keypoints, 6.01);
  for (float score : decoded.scores.span<float>()) EXPECT_EQ(score, 0.5f);
}

TEST(Codecs, DecoupledHeatmapKeepsAtMostSoManyPeople) {
  const auto codec = codec_of(R"({"type": "DecoupledHeatmap", "input_size": [256, 256],
      "heatmap_size": [64, 64], "encode_max_instances": 1})");
  EncodeInput input = two_people();
  bool first = false, second = false;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    input.random = &random;
    const TensorLists encoded = codec->encode(input);
    const Tensor coords = encoded.at("instance_coords")[0];
    ASSERT_EQ(coords.shape(), Shape({1, 2}));
    ASSERT_EQ(encoded.at("instance_heatmaps")[0].shape(), Shape({5, 64, 64}));
    (coords.data<int32_t>()[0] < 30 ? first : second) = true;
  }
  EXPECT_TRUE(first && second);
}

// T frames of K joints with a target pose per frame, and a camera.
EncodeInput sequence(int64_t frames, int64_t joints) {
  Random random(7);
  Tensor keypoints = Tensor::empty({frames, joints, 2});
  Tensor target = Tensor::empty({frames, joints, 3});
  for (float& v : keypoints.span<float>()) v = float(random.uniform(100, 900));
  for (int64_t i = 0; i < target.numel(); ++i)
    target.data<float>()[i] = float(random.uniform(-0.5, 0.5)) + (i % 3 == 2 ? 4.0f : 0.0f);
  EncodeInput input;
  input.keypoints = keypoints;
  input.more["lifting_target"] = {target};
  input.more["camera_param/w"] = {Tensor::full({}, 1000)};
  input.more["camera_param/h"] = {Tensor::full({}, 1002)};
  input.more["camera_param/f"] = {Tensor::full({2, 1}, 1145)};
  input.more["camera_param/c"] = {Tensor::full({2, 1}, 510)};
  return input;
}

void expect_close(const Tensor& found, const Tensor& wanted, double bound) {
  ASSERT_EQ(found.shape(), wanted.shape());
  for (int64_t i = 0; i < wanted.numel(); ++i)
    ASSERT_NEAR(found.data<float>()[i], wanted.data<float>()[i], bound) << "element " << i;
}

TEST(Codecs, LiftedPosesComeBackWithTheirRoot) {
  for (const char* config :
       {R"({"type": "ImagePoseLifting", "num_keypoints": 3, "root_index": 1})",
        R"({"type": "ImagePoseLifting", "num_keypoints": 3, "root_index": 1, "remove_root": true,
            "target_mean": [[1, 2, 3], [4, 5, 6]], "target_std": [[1, 2, 3], [3, 2, 1]]})",
        R"({"type": "ImagePoseLifting", "num_keypoints": 3, "root_index": [0, 2]})",
        R"({"type": "VideoPoseLifting", "num_keypoints": 3, "root_index": 1})",
        R"({"type": "VideoPoseLifting", "num_keypoints": 3, "root_index": 2,
            "remove_root": true})"}) {
    const auto codec = codec_of(config);
    const EncodeInput input = sequence(4, 3);
    const TensorLists encoded = codec->encode(input);
    EXPECT_EQ(encoded.at("keypoint_labels")[0].shape(), Shape({6, 4}));
    const Tensor outputs[] = {encoded.at("lifting_target_label")[0], encoded.at("target_root")[0]};
    expect_close(codec->decode(outputs).keypoints, input.more.at("lifting_target")[0], 1e-5);
  }
}

TEST(Codecs, LiftingWithoutATargetGivesInputsOnly) {
  EncodeInput input = sequence(1, 3);
  input.more.erase("lifting_target");
  for (const char* type : {"ImagePoseLifting", "VideoPoseLifting", "MotionBERTLabel"}) {
    const TensorLists encoded =
        codec_of(str(R"({"num_keypoints": 3, "type": ")", type, "\"}"))->encode(input);
    EXPECT_TRUE(encoded.contains("keypoint_labels")) << type;
    EXPECT_FALSE(encoded.contains("lifting_target_label")) << type;
  }
}

TEST(Codecs, TwoRootsCannotBeRemoved) {
  EXPECT_NE(error_of([] {
              codec_of(R"({"type": "VideoPoseLifting", "num_keypoints": 3, "root_index": [0, 1],
                           "remove_root": true})");
            }).find("single joint"),
            std::string::npos);
}

// Training targets decode to root-relative millimetres over 1000 when the factor is given back.
TEST(Codecs, MotionBertDecodesItsTrainingTargets) {
  const auto codec =
      codec_of(R"({"type": "MotionBERTLabel", "num_keypoints": 3, "mode": "train"})");
  const auto test = codec_of(R"({"type": "MotionBERTLabel", "num_keypoints": 3})");
  const EncodeInput input = sequence(4, 3);
  const TensorLists encoded = codec->encode(input);
  const Tensor outputs[] = {encoded.at("lifting_target_label")[0], Tensor::full({4}, 1000),
                            Tensor::full({4}, 1002), encoded.at("factor")[0]};
  expect_close(codec->decode(outputs).keypoints, test->encode(input).at("lifting_target_label")[0],
               1e-5);
}

TEST(Codecs, Hand3DReturnsJointsWithinABin) {
  const auto codec = codec_of(R"({"type": "Hand3DHeatmap", "sigma": 2.5, "max_bound": 255,
      "joint_indices": [2, 0], "use_different_joint_weights": true})");
  EncodeInput input;
  input.keypoints =
      Tensor::from(std::vector<float>{40, 60, -50, 0, 0, 0, 201, 133, 90.5f}, {1, 3, 3});
  input.more["dataset_keypoint_weights"] = {Tensor::from(std::vector<float>{1, 2, 3}, {3})};
  input.more["rel_root_depth"] = {Tensor::full({}, 30)};
  input.more["rel_root_valid"] = {Tensor::full({}, 1)};
  input.more["hand_type"] = {Tensor::from(std::vector<float>{1, 0}, {1, 2})};
  input.more["hand_type_valid"] = {Tensor::full({1}, 1)};
  const TensorLists encoded = codec->encode(input);
  EXPECT_EQ(encoded.at("keypoint_weights")[0].data<float>()[0], 3);
  const Tensor maps = encoded.at("heatmaps")[0];
  const Tensor outputs[] = {maps.alias({2, 64, 64, 64}), encoded.at("root_depth")[0],
                            encoded.at("type")[0]};
  const Decoded decoded = codec->decode(outputs);
  const float* p = decoded.keypoints.data<float>();
  const float wanted[] = {201, 133, 90.5f, 40, 60, -50};
  for (int i = 0; i < 6; ++i) EXPECT_NEAR(p[i], wanted[i], i % 3 == 2 ? 3.2 : 4.01);
  EXPECT_NEAR(decoded.more.at("rel_root_depth")[0].item(), 30, 1e-4);
  EXPECT_EQ(decoded.more.at("hand_type")[0].data<int64_t>()[0], 1);
  EXPECT_EQ(decoded.more.at("hand_type")[0].data<int64_t>()[1], 0);
}

TEST(Codecs, EdPoseReturnsTheBestQueries) {
  const auto codec = codec_of(R"({"type": "EDPoseLabel", "num_select": 2, "num_keypoints": 1})");
  const Tensor outputs[] = {
      Tensor::from(std::vector<float>{100, 200}, {2}),
      Tensor::from(std::vector<float>{0.1f, 0.2f, 0.9f, 0.3f, 0.4f, 0.5f}, {3, 2}),
      Tensor::full({3, 4}, 0.5), Tensor::full({3, 3}, 0.25)};
  const Decoded decoded = codec->decode(outputs);
  EXPECT_EQ(decoded.instance_scores.data<float>()[0], 0.9f);
  EXPECT_EQ(decoded.instance_scores.data<float>()[1], 0.5f);
  EXPECT_EQ(decoded.keypoints.data<float>()[0], 50);
  EXPECT_EQ(decoded.keypoints.data<float>()[1], 25);
  const float box[] = {50, 25, 150, 75};
  for (int i = 0; i < 4; ++i) EXPECT_EQ(decoded.more.at("bboxes")[0].data<float>()[i], box[i]);
}

TEST(Codecs, YoloxPoseGrowsBoxesToVisiblePoints) {
  const auto codec = codec_of(R"({"type": "YOLOXPoseAnnotationProcessor", "expand_bbox": true,
                                  "input_size": [64, 64]})");
  EncodeInput input;
  input.keypoints = Tensor::from(std::vector<float>{5, 30, 90, 20, 1, 1}, {1, 3, 2});
  input.visible = Tensor::from(std::vector<float>{1, 1, 0}, {1, 3});
  input.bboxes = Tensor::from(std::vector<float>{10, 10, 20, 20}, {1, 4});
  input.more["category_id"] = {Tensor::full({1}, 1)};
  const TensorLists encoded = codec->encode(input);
  const float box[] = {5, 10, 64, 30};
  for (int i = 0; i < 4; ++i) EXPECT_EQ(encoded.at("bbox")[0].data<float>()[i], box[i]);
  EXPECT_EQ(encoded.at("bbox_labels")[0].data<int64_t>()[0], 0);
}

TEST(Blur, LogarithmsOfAPatchDifferFromTheWholeMapByAConstant) {
  constexpr int64_t height = 20, width = 16;
  Tensor map = Tensor::zeros({1, height, width});
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      map.data<float>()[y * width + x] =
          std::exp(-0.05f * float((x - 7) * (x - 7) + (y - 9) * (y - 9)));
  Blur blur(11);
  const Tensor whole = blur_keeping_peak(map, 11);
  LogBlur logs(map.data<float>(), height, width, blur, 1e-10f, 50);
  double patch[25];
  logs.patch(7, 5, 5, 5, patch);
  const double shift = patch[12] - std::log(whole.data<float>()[9 * width + 7]);
  for (int64_t y = 0; y < 5; ++y)
    for (int64_t x = 0; x < 5; ++x)
      EXPECT_NEAR(patch[5 * y + x] - shift, std::log(whole.data<float>()[(y + 7) * width + x + 5]),
                  1e-5);
}

TEST(Blur, KernelsSumToOneAndAreSymmetric) {
  for (int size : {1, 3, 5, 7, 9, 11, 17, 23}) {
    const std::vector<float> kernel = gaussian_kernel(size);
    float sum = 0;
    for (int i = 0; i < size; ++i) {
      sum += kernel[size_t(i)];
      EXPECT_EQ(kernel[size_t(i)], kernel[size_t(size - 1 - i)]);
    }
    EXPECT_NEAR(sum, 1, 1e-6);
  }
  EXPECT_NE(error_of([] { gaussian_kernel(4); }), "");
}

}  // namespace
}  // namespace limber
