#include "pose/estimators/preprocessor.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace limber {
namespace {

DataSample sample_of(int64_t H, int64_t W) {
  DataSample s;
  s.inputs = Tensor::zeros({H, W, 3}, DType::u8);
  s.inputs.data<uint8_t>()[0] = 10;  // blue
  s.inputs.data<uint8_t>()[2] = 30;  // red
  s.labels["keypoints"] = {Tensor::full({1, 2, 2}, 8)};
  s.labels["areas"] = {Tensor::full({1}, 16)};
  return s;
}

TEST(PreprocessorTest, NormalisesAndReversesChannels) {
  const Preprocessor p(
      Config::parse(R"({"mean":[10,0,0],"std":[2,1,5],"bgr_to_rgb":true,"pad_size_divisor":8,
                        "pad_value":-1})"));
  std::vector<DataSample> batch{sample_of(8, 10), sample_of(6, 16)};
  const Tensor out = p(batch, false);
  ASSERT_EQ(out.shape(), Shape({2, 8, 16, 3}));
  EXPECT_FLOAT_EQ(out.data<float>()[0], (30 - 10) / 2.f);
  EXPECT_FLOAT_EQ(out.data<float>()[2], 10 / 5.f);
  EXPECT_FLOAT_EQ(out.data<float>()[10 * 3], -1);  // right of the narrow image
}

TEST(PreprocessorTest, BatchesChangeSizeBySeedAndIteration) {
  const Preprocessor p(Config::parse(R"({"mean":[0,0,0],"std":[1,1,1],"batch_augments":[
      {"type":"BatchSyncRandomResize","random_size_range":[32,96],"size_divisor":32,
       "interval":1}]})"));
  const auto sizes = [&](int64_t first) {
    std::vector<int64_t> out;
    p.set_iteration(first, 4);
    for (int64_t i = first; i < 12; ++i) {
      std::vector<DataSample> batch{sample_of(64, 64)};
      const Tensor inputs = p(batch, true);
      out.push_back(inputs.size(1));
      const float factor = float(inputs.size(1)) / 64;
      EXPECT_FLOAT_EQ(batch[0].labels["keypoints"][0].data<float>()[3], 8 * factor);
      EXPECT_FLOAT_EQ(batch[0].labels["areas"][0].data<float>()[0], 16 * factor * factor);
      EXPECT_EQ(inputs.size(1) % 32, 0);
    }
    return out;
  };
  const auto all = sizes(0);
  EXPECT_EQ(all[0], 64);
  EXPECT_GT(std::count(all.begin(), all.end(), 32) + std::count(all.begin(), all.end(), 96), 0);
  EXPECT_EQ(sizes(5), std::vector<int64_t>(all.begin() + 5, all.end()));  // as a resumed run
  std::vector<DataSample> batch{sample_of(64, 64)};
  EXPECT_EQ(p(batch, false).size(1), 64);
}

}  // namespace
}  // namespace limber
