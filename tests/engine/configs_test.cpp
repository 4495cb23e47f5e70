// Every config that is shipped builds: model, pipelines, optimiser, schedules, hooks, metrics.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "data/transforms/transform.h"
#include "pose/core/metainfo.h"
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

TEST_P(ShippedConfig, Builds) {
  const Config config = load_config(GetParam());
  check_top_level(config);
  Model model = build_model(config, 0, /*initialise=*/false);
  EXPECT_GT(model.store->count(), 100000);
  for (const char* loader : {"train_dataloader", "val_dataloader", "test_dataloader"})
    EXPECT_FALSE(Pipeline(config.at(loader).at("dataset").at("pipeline")).empty());
  BuiltOptim optim = build_optim_wrapper(config.at("optim_wrapper"), *model.store);
  EXPECT_FALSE(
      build_schedulers(config.at("param_scheduler"), optim.wrapper.optimizer(), 100).empty());
  make_hooks(config.find("custom_hooks"), model);
  const CheckpointOptions checkpoints =
      read_checkpoint_options(config.at("default_hooks").at("checkpoint"));
  const std::string dataset = config.at("train_dataloader").at("dataset").type();
  const std::string family = dataset == "CrowdPoseDataset"       ? "crowdpose"
                             : dataset == "CocoWholeBodyDataset" ? "coco_wholebody"
                             : dataset == "Human36mDataset"      ? "h36m"
                             : dataset == "InterHand3DDataset"   ? "interhand3d"
                                                                 : "coco";
  const bool error = family == "h36m" || family == "interhand3d";  // mean distances of joints
  ASSERT_EQ(checkpoints.save_best.size(), 1u);
  EXPECT_EQ(checkpoints.save_best[0], family == "h36m"             ? "MPJPE"
                                      : family == "interhand3d"    ? "MPJPE_all"
                                      : family == "coco_wholebody" ? "coco-wholebody/AP"
                                                                   : family + "/AP");
  EXPECT_EQ(checkpoints.greater.at(0), !error);
  Evaluator(config.at("test_evaluator"), *known_metainfo(family));
}

TEST_P(ShippedConfig, StandsInTheModelZoo) {
  std::ifstream in(LIMBER_SOURCE_DIR "/docs/model-zoo.md");
  const std::string zoo((std::istreambuf_iterator<char>(in)), {});
  const std::string name = fs::relative(GetParam(), LIMBER_SOURCE_DIR);
  EXPECT_NE(zoo.find("| " + name + " |"), std::string::npos) << name << ": run tools/model_zoo.sh";
}

INSTANTIATE_TEST_SUITE_P(All, ShippedConfig, testing::ValuesIn(shipped()), [](const auto& row) {
  std::string name = fs::path(row.param).stem();
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
});

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
