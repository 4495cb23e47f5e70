// Flip tests on a GPU, associative embedding at two scales among them, find what the CPU finds.
#include <gtest/gtest.h>

#include <cmath>

#include "nn/init.h"
#include "pose/core/keypoint_metrics.h"
#include "pose/heads/head.h"
#include "tests/cuda/on_gpu.h"
#include "tests/support/heads.h"
#include "tests/support/tensors.h"

namespace limber::test {
namespace {

struct FlipCase {
  const char* name;
  std::string head;
  const char* options;
  std::vector<Shape> features;  // a scale each, of two images
};

void PrintTo(const FlipCase& c, std::ostream* out) { *out << c.name; }

std::vector<FlipCase> cases() {
  const Shape coarse{2, 12, 16, 6}, fine{2, 18, 24, 6};
  return {
      {"AssociativeEmbedding",
       R"({"type": "AssociativeEmbeddingHead", "in_channels": 6, "num_keypoints": 3, "tag_dim": 1,
           "tag_per_keypoint": true, "deconv_out_channels": null,
           "decoder": {"type": "AssociativeEmbedding", "input_size": [64, 48],
                       "heatmap_size": [64, 48], "decode_max_instances": 5}})",
       R"({"flip_test": true, "restore_heatmap_size": true, "align_corners": false})",
       {coarse, fine}},
      {"DEKR", kDEKR, R"({"flip_test": true})", {coarse}},
      {"CID", kCID, R"({"flip_test": true})", {coarse}},
      {"Heatmap",
       R"({"type": "HeatmapHead", "in_channels": 6, "out_channels": 3, "deconv_out_channels": [8],
           "deconv_kernel_sizes": [4],
           "decoder": {"type": "MSRAHeatmap", "input_size": [64, 48], "heatmap_size": [32, 24],
                       "sigma": 2}})",
       R"({"flip_test": true, "shift_heatmap": true})",
       {coarse}},
      {"SimCC",
       R"({"type": "SimCCHead", "in_channels": 6, "out_channels": 3, "input_size": [64, 48],
           "in_featuremap_size": [16, 12], "simcc_split_ratio": 2.0, "deconv_out_channels": null,
           "decoder": {"type": "SimCCLabel", "input_size": [64, 48], "simcc_split_ratio": 2.0}})",
       R"({"flip_test": true})",
       {coarse}},
  };
}

class CudaFlipTest : public OnGpuWithParam<FlipCase> {};

std::vector<Prediction> predict(const FlipCase& c, Device device) {
  ParameterStore store(3);
  const auto head = make_head(Config::parse(c.head, "head"), Scope(store) / "head");
  for (const Parameter& p : store.all())  // large enough for maps to have people on them
    if (p.role == Role::parameter && p.value.rank() > 1)
      store.initialise(p.name, init::uniform(-0.5, 0.5));
  store.to(device);
  store.train(false);
  std::vector<DataSample> samples(2);
  for (DataSample& s : samples) {
    s.meta.input_size = {64, 48};
    s.meta.flip_indices = {0, 2, 1};
    s.meta.more["skeleton_links"] = {Tensor::from(std::vector<int64_t>{0, 1, 0, 2}, {2, 2})};
  }
  std::vector<ScaleFeatures> scales;
  for (const Shape& shape : c.features) {
    const uint64_t seed = 11 + scales.size();
    scales.push_back(
        {{uniform(shape, -1, 1, seed).to(device)}, {uniform(shape, -1, 1, seed + 50).to(device)}});
  }
  const DeviceScope scope(device);
  return head->predict_scales(scales, samples,
                              read_test_options(Config::parse(c.options, "test_cfg")));
}

TEST_P(CudaFlipTest, FindsWhatTheCpuFinds) {
  const auto cpu = predict(GetParam(), {}), gpu = predict(GetParam(), {DeviceType::cuda, 0});
  ASSERT_EQ(gpu.size(), cpu.size());
  for (size_t i = 0; i < cpu.size(); ++i) {
    const Instances &want = cpu[i].instances, &got = gpu[i].instances;
    ASSERT_EQ(got.keypoints.shape(), want.keypoints.shape());
    EXPECT_GT(want.keypoints.numel(), 0);
    EXPECT_EQ(got.keypoints.device(), Device{});
    const std::vector<double> a = to_doubles(got.keypoints), b = to_doubles(want.keypoints);
    for (size_t k = 0; k < a.size(); ++k) EXPECT_NEAR(a[k], b[k], 0.01) << i << ": " << k;
    const std::vector<double> s = to_doubles(got.keypoint_scores),
                              t = to_doubles(want.keypoint_scores);
    for (size_t k = 0; k < s.size(); ++k) EXPECT_NEAR(s[k], t[k], 1e-3) << i << ": " << k;
  }
}

INSTANTIATE_TEST_SUITE_P(Heads, CudaFlipTest, testing::ValuesIn(cases()),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace limber::test
