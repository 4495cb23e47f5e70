#include "tests/support/tiny_run.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tensor/serialize.h"

namespace limber::test {
namespace {

constexpr const char* kConfig = R"json({
  "train_cfg": {"max_epochs": 3, "val_interval": 100},
  "randomness": {"seed": 1},
  "optim_wrapper": {"optimizer": {"type": "AdamW", "lr": 0.002, "weight_decay": 0.01}},
  "param_scheduler": [
    {"type": "LinearLR", "begin": 0, "end": 5, "start_factor": 0.01, "by_epoch": false},
    {"type": "MultiStepLR", "begin": 0, "end": 3, "milestones": [2], "gamma": 0.1, "by_epoch": true}
  ],
  "default_hooks": {"logger": {"interval": 2}, "checkpoint": {"interval": 3, "by_epoch": false, "max_keep_ckpts": 2}},
  "custom_hooks": [{"type": "EMAHook", "ema_type": "ExpMomentumEMA", "momentum": 0.01, "update_buffers": true}],
  "codec": {"type": "MSRAHeatmap", "input_size": [32, 32], "heatmap_size": [8, 8], "sigma": 1},
  "model": {
    "type": "TopdownPoseEstimator",
    "data_preprocessor": {"type": "PoseDataPreprocessor", "mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375], "bgr_to_rgb": true},
    "backbone": {"type": "ResNet", "depth": 18, "stem_channels": 8, "base_channels": 8},
    "head": {"type": "HeatmapHead", "in_channels": 64, "out_channels": 17,
      "deconv_out_channels": [8, 8, 8], "deconv_kernel_sizes": [4, 4, 4],
      "loss": {"type": "KeypointMSELoss", "use_target_weight": true},
      "decoder": {"type": "MSRAHeatmap", "input_size": [32, 32], "heatmap_size": [8, 8], "sigma": 1}},
    "test_cfg": {"flip_test": false}
  },
  "train_dataloader": {
    "batch_size": 3, "num_workers": 2,
    "sampler": {"type": "DefaultSampler", "shuffle": true},
    "dataset": {"type": "CocoDataset", "data_root": "FOLDER/data/", "data_mode": "topdown",
      "ann_file": "annotations/train.json", "data_prefix": {"img": "train/"},
      "pipeline": [
        {"type": "LoadImage"}, {"type": "GetBBoxCenterScale"},
        {"type": "RandomFlip", "direction": "horizontal"},
        {"type": "RandomBBoxTransform", "scale_factor": [0.8, 1.2], "rotate_factor": 30},
        {"type": "TopdownAffine", "input_size": [32, 32]},
        {"type": "GenerateTarget", "encoder": {"type": "MSRAHeatmap", "input_size": [32, 32], "heatmap_size": [8, 8], "sigma": 1}},
        {"type": "PackPoseInputs"}
      ]}
  },
  "test_dataloader": {
    "batch_size": 3, "num_workers": 1,
    "sampler": {"type": "DefaultSampler", "shuffle": false},
    "dataset": {"type": "CocoDataset", "data_root": "FOLDER/data/", "data_mode": "topdown",
      "ann_file": "annotations/val.json", "data_prefix": {"img": "val/"}, "test_mode": true,
      "pipeline": [{"type": "LoadImage"}, {"type": "GetBBoxCenterScale"}, {"type": "TopdownAffine", "input_size": [32, 32]}, {"type": "PackPoseInputs"}]}
  }
}
)json";

}  // namespace

TinyRun::TinyRun() {
  const ProgramResult made =
      run_program({"synth", path("data"), "--train", "18", "--val", "2", "--test", "1", "--size",
                   "96", "72", "--people", "1", "1", "--seed", "3", "--threads", "1"});
  check(made.exit_code == 0, "limber synth: ", made.err);
  std::string config = kConfig;
  const std::string place = "FOLDER";
  for (size_t at; (at = config.find(place)) != std::string::npos;)
    config.replace(at, place.size(), path(""));
  write("tiny.json", config);
}

std::string TinyRun::read(const std::string& name) const {
  std::ifstream in(path(name), std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

ProgramResult TinyRun::train(const std::string& work_dir, const std::vector<std::string>& more,
                             const ProgramLimits& limits) const {
  std::vector<std::string> words{"train", config(), "--work-dir", path(work_dir)};
  words.insert(words.end(), more.begin(), more.end());
  return run_program(words, limits);
}

void expect_captured(const ProgramResult& run, int replays) {
  const std::string log = run.out + run.err;
  EXPECT_NE(log.find("the training step is captured as one CUDA graph"), std::string::npos) << log;
  EXPECT_NE(log.find(str(replays, " of 18 training steps were replays of a CUDA graph")),
            std::string::npos)
      << log;
}

void expect_same_tensors(const std::string& a, const std::string& b) {
  ASSERT_TRUE(std::filesystem::exists(a)) << a;
  ASSERT_TRUE(std::filesystem::exists(b)) << b;
  const SafetensorsFile left(a), right(b);
  ASSERT_EQ(left.entries().size(), right.entries().size());
  for (const auto& entry : left.entries()) {
    ASSERT_TRUE(right.contains(entry.name)) << entry.name;
    const Tensor x = left.read(entry), y = right.read(entry.name);
    ASSERT_EQ(x.shape(), y.shape()) << entry.name;
    ASSERT_EQ(x.bytes(), y.bytes()) << entry.name;
    EXPECT_EQ(std::memcmp(x.raw(), y.raw(), size_t(x.bytes())), 0) << entry.name;
  }
}

}  // namespace limber::test
