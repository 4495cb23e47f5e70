// What a pipeline leaves to the device, carried out on the CPU; tests/cuda/on_device_test.cpp does
// it on a GPU.
#include <gtest/gtest.h>

#include "data/transforms/transform.h"
#include "tests/support/on_device.h"

namespace limber::test {
namespace {

TEST(OnDevicePipeline, GivesTheBytesAndHeatMapsOfTheLoader) {
  expect_same_batches(
      R"({"type": "MSRAHeatmap", "input_size": [48, 64], "heatmap_size": [12, 16], "sigma": 2})",
      {});
}

TEST(OnDevicePipeline, LosesNothingInTraining) { expect_same_losses("cpu"); }

std::string error_of(const std::string& transforms) {
  try {
    Pipeline(Config::parse(R"([{"type": "LoadImage", "on_device": true}, )" + transforms + "]",
                           "config.json"));
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(OnDevicePipeline, SaysWhatStandsInTheWrongPlace) {
  const std::string crop = R"({"type": "TopdownAffine", "input_size": [8, 8]})";
  EXPECT_NE(error_of(crop + R"(, {"type": "YOLOXHSVRandomAug"})").find("changes pixels"),
            std::string::npos);
  EXPECT_NE(error_of(crop + R"(, {"type": "RandomFlip"})").find("stands before TopdownAffine"),
            std::string::npos);
  EXPECT_NE(error_of(R"({"type": "PhotometricDistortion"}, )" + crop).find("stands behind"),
            std::string::npos);
  EXPECT_NE(error_of(R"({"type": "RandomFlip"})").find("no TopdownAffine"), std::string::npos);
  EXPECT_EQ(error_of(R"({"type": "RandomFlip"}, )" + crop), "");
}

}  // namespace
}  // namespace limber::test
