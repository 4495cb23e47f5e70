#include "tests/support/on_device.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "data/transforms/transform.h"
#include "pose/core/dataset_meta.h"
#include "pose/estimators/preprocessor.h"
#include "tests/support/tensors.h"

namespace limber::test {
namespace {

// A picture of soft edges and noise, with a person whose points lie inside, at the edge and beyond.
Sample picture(size_t number) {
  const int64_t H = 70 + int64_t(number) * 9, W = 90 - int64_t(number) * 7, K = 5;
  Sample s;
  s.img = Tensor::empty({H, W, 3}, DType::u8);
  const Tensor noise = uniform(s.img.shape(), 0, 120, 5 + number);
  for (int64_t i = 0; i < s.img.numel(); ++i)
    s.img.data<uint8_t>()[i] = uint8_t(noise.data<float>()[i] + 60 + 60 * std::sin(double(i) / 40));
  s.bbox = Tensor::from(std::vector<float>{20, 12, 66, 61}, {1, 4});
  s.keypoints = Tensor::from(
      std::vector<float>{20.4f, 12.2f, 44, 37.7f, 66, 60, -30, 20, 51.5f, 33.5f}, {1, K, 2});
  s.keypoints_visible = Tensor::from(std::vector<float>{1, 1, 1, 1, float(number % 2)}, {1, K});
  s.meta.flip_indices = {0, 2, 1, 4, 3};
  return s;
}

std::vector<DataSample> make_batch(const std::string& encoder, bool on_device) {
  const Config pipeline = Config::parse(std::string(R"([{"type": "LoadImage", "on_device": )") +
                                        (on_device ? "true" : "false") +
                                        R"(}, {"type": "GetBBoxCenterScale"},
         {"type": "RandomFlip", "direction": ["horizontal", "vertical"], "prob": [0.4, 0.3]},
         {"type": "RandomBBoxTransform", "rotate_prob": 1, "shift_prob": 1},
         {"type": "TopdownAffine", "input_size": [48, 64]}, {"type": "PhotometricDistortion"},
         {"type": "GenerateTarget", "encoder": )" +
                                        encoder + R"(}, {"type": "PackPoseInputs"}])");
  const Pipeline transforms(pipeline);
  std::vector<DataSample> batch;
  Random random(11);
  for (size_t i = 0; i < 12; ++i) {  // so many that every change of colour occurs
    Sample sample = picture(i % 4);
    check(transforms.apply(sample, random), "the pipeline dropped a sample");
    batch.push_back(std::move(*sample.packed));
  }
  return batch;
}

void expect_near(const Tensor& got, const Tensor& expected, double tolerance) {
  const Tensor a = got.to(Device{});
  ASSERT_EQ(a.shape(), expected.shape());
  for (int64_t i = 0; i < a.numel(); ++i)
    ASSERT_NEAR(a.data<float>()[i], expected.data<float>()[i], tolerance) << i;
}

void expect_near(const TensorLists& got, const TensorLists& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (const auto& [name, list] : expected) {
    SCOPED_TRACE(name);
    ASSERT_TRUE(got.contains(name));
    ASSERT_EQ(got.find(name)->second.size(), list.size());
    for (size_t i = 0; i < list.size(); ++i) expect_near(got.find(name)->second[i], list[i], 2e-6);
  }
}

}  // namespace

void expect_same_batches(const std::string& encoder, Device device) {
  Preprocessor preprocessor(Config::parse(
      R"({"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375], "bgr_to_rgb": true})"));
  std::vector<DataSample> expected = make_batch(encoder, false);
  const Tensor inputs = preprocessor(expected, true);
  preprocessor.set_device(device);
  std::vector<DataSample> batch = make_batch(encoder, true);
  const Tensor got = preprocessor(batch, true);
  EXPECT_EQ(got.device(), device);
  expect_near(got, inputs, 1e-5);
  ASSERT_EQ(batch.size(), expected.size());
  for (size_t n = 0; n < batch.size(); ++n) {
    SCOPED_TRACE(n);
    EXPECT_EQ(batch[n].meta.img_shape, expected[n].meta.img_shape);
    EXPECT_EQ(batch[n].meta.flip, expected[n].meta.flip);
    expect_near(batch[n].labels, expected[n].labels);
    expect_near(batch[n].fields, expected[n].fields);
  }
}

std::vector<double> logged_losses(const TinyRun& run, const std::string& work_dir) {
  namespace fs = std::filesystem;
  std::vector<double> losses;
  for (const auto& entry : fs::recursive_directory_iterator(run.path(work_dir))) {
    if (entry.path().filename() != "scalars.json") continue;
    std::ifstream in(entry.path());
    for (std::string line; std::getline(in, line);)
      if (const Config row = Config::parse(line); row.has("loss"))
        losses.push_back(row.get<double>("loss"));
  }
  return losses;
}

void expect_same_losses(const std::string& device) {
  const TinyRun run;
  const std::vector<std::string> one{"--device", device, "--no-validate"};
  std::vector<std::string> other = one;
  other.push_back("train_dataloader.dataset.pipeline.0.on_device=true");
  const ProgramResult host = run.train("host", one), left = run.train("device", other);
  ASSERT_EQ(host.exit_code, 0) << host.err;
  ASSERT_EQ(left.exit_code, 0) << left.err;
  if (parse_device(device).is_cuda()) expect_captured(left, 13);
  const std::vector<double> expected = logged_losses(run, "host"),
                            got = logged_losses(run, "device");
  ASSERT_GE(expected.size(), 9u);
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-4 * expected[i]) << i;
}

}  // namespace limber::test
