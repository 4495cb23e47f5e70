// Every config that is shipped builds: model, pipelines, optimiser, schedules, hooks, metrics.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "data/dataset.h"
#include "data/transforms/transform.h"
#include "pose/engine/build_optim.h"
#include "pose/engine/checkpoint_policy.h"
#include "pose/engine/hook.h"
#include "pose/engine/model.h"
#include "pose/engine/run_config.h"
#include "pose/metrics/metric.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> shipped() {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(LIMBER_SOURCE_DIR "/configs"))
    if (entry.path().extension() == ".json" &&
        entry.path().string().find("/_base_/") == std::string::npos)
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

class ShippedConfig : public testing::TestWithParam<std::string> {};

void builds_training(const Config& config, Model& model) {
  BuiltOptim optim = build_optim_wrapper(config.at("optim_wrapper"), *model.store);
  EXPECT_FALSE(
      build_schedulers(config.at("param_scheduler"), optim.wrapper.optimizer(), 100).empty());
  make_hooks(config.find("custom_hooks"), model);
  const CheckpointOptions checkpoints =
      read_checkpoint_options(config.at("default_hooks").at("checkpoint"));
  EXPECT_EQ(checkpoints.save_best.empty(), checkpoints.greater.empty());
  for (size_t i = 0; i < checkpoints.save_best.size(); ++i) {
    const std::string& metric = checkpoints.save_best[i];
    const bool error = metric.find("MPJPE") != std::string::npos ||
                       metric.find("EPE") != std::string::npos ||
                       metric.find("NME") != std::string::npos;
    EXPECT_EQ(checkpoints.greater[i], !error) << metric;
  }
}

// A few are for evaluation alone.
TEST_P(ShippedConfig, Builds) {
  const Config config = load_config(GetParam());
  check_top_level(config);
  Model model = build_model(config, 0, /*initialise=*/false);
  EXPECT_GT(model.store->count(), 100000);
  std::vector<const char*> loaders{"val_dataloader", "test_dataloader"};
  if (config.has("train_dataloader")) {
    loaders.push_back("train_dataloader");
    builds_training(config, model);
  }
  for (const char* loader : loaders)
    EXPECT_FALSE(Pipeline(config.at(loader).at("dataset").at("pipeline")).empty()) << loader;
  const Config evaluator = config.at("test_evaluator");
  // That of PoseTrack opens its annotations.
  if (evaluator.is_list() || evaluator.type() != "PoseTrack18Metric")
    Evaluator(evaluator, described_metainfo(config.at("test_dataloader").at("dataset")));
}

TEST_P(ShippedConfig, StandsInTheModelZoo) {
  std::ifstream in(LIMBER_SOURCE_DIR "/docs/model-zoo.md");
  const std::string zoo((std::istreambuf_iterator<char>(in)), {});
  const std::string name = fs::relative(GetParam(), LIMBER_SOURCE_DIR);
  EXPECT_NE(zoo.find("| " + name + " |"), std::string::npos) << name << ": run tools/model_zoo.sh";
}

INSTANTIATE_TEST_SUITE_P(All, ShippedConfig, testing::ValuesIn(shipped()), [](const auto& row) {
  std::string name = fs::relative(row.param, LIMBER_SOURCE_DIR "/configs").replace_extension();
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
});

TEST(YoloxPoseModeSwitchHook, ChangesTheDataOneEpochBeforeTheLast) {
  const Config config = load_config(
      LIMBER_SOURCE_DIR
      "/configs/body_2d_keypoint/yoloxpose/coco/yoloxpose_tiny_4xb64-300e_coco-416.json");
  Model model = build_model(config, 0, /*initialise=*/false);
  const auto switches = [&](int64_t max_epochs, int64_t from) {
    const auto hooks =
        make_hooks(Config::parse(R"([{"type": "YOLOXPoseModeSwitchHook", "num_last_epochs": 2,
                           "new_train_pipeline": [{"type": "LoadImage"}]}])"),
                   model);
    RunLog log;
    RunState run;
    run.model = &model;
    run.log = &log;
    run.max_epochs = max_epochs;
    std::vector<int64_t> epochs;
    for (run.epoch = from; run.epoch < max_epochs; ++run.epoch) {
      run.new_pipeline = Config();
      hooks[0]->before_epoch(run);
      if (!run.new_pipeline.is_null()) epochs.push_back(run.epoch);
    }
    return epochs;
  };
  EXPECT_EQ(switches(6, 0), std::vector<int64_t>{3});
  EXPECT_EQ(switches(6, 5), std::vector<int64_t>{5});  // resumed behind the switch
  EXPECT_EQ(switches(1, 0), std::vector<int64_t>{0});
}

TEST(CheckpointPolicy, KeepsTheLastAndTheBest) {
  CheckpointOptions options;
  options.interval = 2;
  options.max_keep = 2;
  options.save_best = {"NME"};
  options.greater = {false};
  CheckpointPolicy policy(options, 7);
  std::vector<int64_t> due;
  for (int64_t count = 1; count <= 7; ++count)
    if (policy.due(count)) due.push_back(count);
  EXPECT_EQ(due, (std::vector<int64_t>{2, 4, 6, 7}));
  EXPECT_TRUE(policy.wrote("a").empty());
  EXPECT_TRUE(policy.wrote("b").empty());
  EXPECT_EQ(policy.wrote("c"), std::vector<std::string>{"a"});
  EXPECT_EQ(policy.improved({{"NME", 2.0}}).size(), 1u);
  policy.wrote_best("NME", "first");
  EXPECT_TRUE(policy.improved({{"NME", 3.0}}).empty());
  ASSERT_EQ(policy.improved({{"NME", 1.0}}).size(), 1u);
  EXPECT_THROW(policy.improved({{"AP", 1.0}}), InputError);
}

}  // namespace
}  // namespace limber
