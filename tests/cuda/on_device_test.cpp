// Crops, colours and targets made on the GPU are those of the loader.
#include "tests/support/on_device.h"

#include <gtest/gtest.h>

#include "tests/cuda/on_gpu.h"

namespace limber::test {
namespace {

class CudaPreprocessing : public OnGpuWithParam<const char*> {};

TEST_P(CudaPreprocessing, GivesTheBytesAndTargetsOfTheLoader) {
  expect_same_batches(GetParam(), {DeviceType::cuda, 0});
}

INSTANTIATE_TEST_SUITE_P(
    Targets, CudaPreprocessing,
    testing::Values(
        R"({"type": "MSRAHeatmap", "input_size": [48, 64], "heatmap_size": [12, 16], "sigma": 2})",
        R"({"type": "MSRAHeatmap", "input_size": [48, 64], "heatmap_size": [12, 16], "sigma": 1.5,
            "unbiased": true})",
        R"({"type": "UDPHeatmap", "input_size": [48, 64], "heatmap_size": [12, 16], "sigma": 2})",
        R"({"type": "SimCCLabel", "input_size": [48, 64], "sigma": [4.9, 5.66],
            "simcc_split_ratio": 2.0, "normalize": false})",
        R"({"type": "SimCCLabel", "input_size": [48, 64], "simcc_split_ratio": 3.0,
            "smoothing_type": "standard", "label_smooth_weight": 0.1})",
        // Encoded by the loader: labels of a few numbers.
        R"({"type": "RegressionLabel", "input_size": [48, 64]})"));

class CudaPreprocessingRun : public OnGpu<> {};

TEST_F(CudaPreprocessingRun, TrainsWithTheLossesOfTheLoadersCrops) { expect_same_losses("cuda:0"); }

}  // namespace
}  // namespace limber::test
