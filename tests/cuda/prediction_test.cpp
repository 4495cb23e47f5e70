// What heads predict on a GPU is what they predict on the CPU.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "nn/init.h"
#include "pose/core/keypoint_metrics.h"
#include "tests/cuda/families.h"
#include "tests/cuda/on_gpu.h"

namespace limber::test {
namespace {

class CudaPrediction : public OnGpuWithParam<const char*> {};

TEST_P(CudaPrediction, EqualsTheCpus) {
  const auto& families = training_families();
  const auto family = std::ranges::find(families, GetParam(), &TrainingFamily::name);
  ASSERT_NE(family, families.end());
  std::vector<Instances> found[2];
  for (const bool on_gpu : {false, true}) {
    const Device device{on_gpu ? DeviceType::cuda : DeviceType::cpu, 0};
    TrainingNetwork network(*family, device);
    // Weights large enough for maps to have people on them.
    for (const Parameter& p : network.store.all())
      if (p.role == Role::parameter && p.value.rank() > 1) {
        p.value.move_to({});
        network.store.initialise(p.name, init::uniform(-0.5, 0.5));
      }
    network.store.to(device);
    network.store.train(false);
    found[on_gpu] = network.predict();
  }
  ASSERT_EQ(found[1].size(), found[0].size());
  for (size_t i = 0; i < found[0].size(); ++i) {
    const auto expect_equal = [&](const Tensor& gpu, const Tensor& cpu, double tolerance) {
      ASSERT_EQ(gpu.shape(), cpu.shape());
      const std::vector<double> a = to_doubles(gpu), b = to_doubles(cpu);
      for (size_t k = 0; k < a.size(); ++k) ASSERT_NEAR(a[k], b[k], tolerance) << i << ": " << k;
    };
    EXPECT_GT(found[0][i].keypoints.size(0), 0) << i;
    expect_equal(found[1][i].keypoints, found[0][i].keypoints, 0.01);
    expect_equal(found[1][i].keypoint_scores, found[0][i].keypoint_scores, 1e-3);
    EXPECT_EQ(found[1][i].keypoints.device(), Device{});
  }
}

INSTANTIATE_TEST_SUITE_P(Heads, CudaPrediction,
                         testing::Values("DEKR", "CID", "YOLOXPose", "RTMO", "EDPose", "RTMW3D"),
                         [](const auto& row) { return std::string(row.param); });

}  // namespace
}  // namespace limber::test
