#include "pose/engine/hook.h"

#include <algorithm>

#include "pose/core/factory.h"
#include "pose/engine/build_optim.h"

namespace limber {
namespace {

struct EmaHook : Hook {
  AveragedModel averages;
  EmaHook(const Config& c, Model& model) : averages(*model.store, read_average(c)) {
    check_input(!c.has("begin_iter") && !c.has("begin_epoch"), c.path(),
                ": averaging starts with the first iteration; begin_iter and begin_epoch are not "
                "supported");
    c.find("strict_load");
  }
  void after_update(RunState&) override {
    if (averages.is_uniform()) averages.update();
  }
  void after_iteration(RunState&) override {
    if (!averages.is_uniform()) averages.update();
  }
  void before_validation(RunState&) override { averages.swap(); }
  void after_validation(RunState&) override { averages.swap(); }
  AveragedModel* average() override { return &averages; }
};

// mmdet.PipelineSwitchHook: other transforms from an epoch on.
struct PipelineSwitchHook : Hook {
  int64_t switch_epoch;
  Config pipeline;
  explicit PipelineSwitchHook(const Config& c)
      : switch_epoch(c.get<int64_t>("switch_epoch")), pipeline(c.at("switch_pipeline")) {
    pipeline.ignore();
  }
  void before_train(RunState& run) override {
    if (switch_epoch >= run.max_epochs)
      run.log->warn(str("the pipeline switches at epoch ", switch_epoch, ", but the run has ",
                        run.max_epochs, " epochs"));
    if (run.epoch > switch_epoch) run.new_pipeline = pipeline;  // resumed behind the switch
  }
  void before_epoch(RunState& run) override {
    if (run.epoch == switch_epoch) run.new_pipeline = pipeline;
  }
};

// The last epochs of YOLOX-Pose: other data, and the head's auxiliary loss. They begin one epoch
// before the last num_last_epochs, as the reference has it: with 300 and 20, epoch 280 counted from
// one is the first of them.
struct YoloxPoseModeSwitchHook : Hook {
  int64_t num_last_epochs;
  Config pipeline, dataset;
  explicit YoloxPoseModeSwitchHook(const Config& c)
      : num_last_epochs(c.get<int64_t>("num_last_epochs", 20)),
        pipeline(c.find("new_train_pipeline")),
        dataset(c.find("new_train_dataset")) {
    pipeline.ignore();
    dataset.ignore();
  }
  void before_epoch(RunState& run) override {
    const int64_t first = std::max<int64_t>(0, run.max_epochs - num_last_epochs - 1);
    if (run.epoch < first || switched_) return;
    switched_ = true;
    run.new_pipeline = pipeline;
    run.new_dataset = dataset;
    run.model->estimator->head()->set_option("use_aux_loss", Config::value(true));
    run.log->info("switched to the last epochs' data and auxiliary loss");
  }

 private:
  bool switched_ = false;
};

// {epoch: {attribute of the head: value}}.
struct RtmoModeSwitchHook : Hook {
  Config epochs;
  explicit RtmoModeSwitchHook(const Config& c) : epochs(c.at("epoch_attributes")) {
    epochs.ignore();
  }
  void before_train(RunState& run) override {
    for (int64_t e = 0; e < run.epoch; ++e) apply(run, e);
  }
  void before_epoch(RunState& run) override { apply(run, run.epoch); }

 private:
  void apply(RunState& run, int64_t epoch) const {
    const Config changes = epochs.find(std::to_string(epoch));
    if (changes.is_null()) return;
    for (const std::string& key : changes.keys())
      run.model->estimator->head()->set_option(key, changes.at(key));
  }
};

// Averages over processes: there is one.
struct SingleProcessHook : Hook {
  explicit SingleProcessHook(const Config& c) { c.ignore(); }
};

template <class H>
std::unique_ptr<Hook> make(const Config& c, Model&) {
  return std::make_unique<H>(c);
}
std::unique_ptr<Hook> make_ema(const Config& c, Model& model) {
  return std::make_unique<EmaHook>(c, model);
}

constexpr FactoryRow<std::unique_ptr<Hook> (*)(const Config&, Model&)> kHooks[] = {
    {"EMAHook", make_ema},
    {"PipelineSwitchHook", make<PipelineSwitchHook>},
    {"RTMOModeSwitchHook", make<RtmoModeSwitchHook>},
    {"SyncBuffersHook", make<SingleProcessHook>},
    {"SyncNormHook", make<SingleProcessHook>},
    {"YOLOXPoseModeSwitchHook", make<YoloxPoseModeSwitchHook>},
};

// MMEngine's priorities: a name or a number, the lower the earlier.
int priority_of(const Config& hook) {
  const Config value = hook.find("priority");
  if (value.is_null()) return 50;
  if (value.is_number()) return value.as<int>();
  const auto name = value.as<std::string>();
  for (const auto& [known, number] : {std::pair{"HIGHEST", 0},
                                      {"VERY_HIGH", 10},
                                      {"HIGH", 30},
                                      {"ABOVE_NORMAL", 40},
                                      {"NORMAL", 50},
                                      {"BELOW_NORMAL", 60},
                                      {"LOW", 70},
                                      {"VERY_LOW", 90},
                                      {"LOWEST", 100}})
    if (name == known) return number;
  fail_input(value.path(), ": unknown priority \"", name, "\"");
}

}  // namespace

std::vector<std::unique_ptr<Hook>> make_hooks(const Config& list, Model& model) {
  std::vector<std::pair<int, std::unique_ptr<Hook>>> made;
  for (size_t i = 0; i < (list.is_null() ? 0 : list.size()); ++i) {
    const int priority = priority_of(list.at(i));
    made.emplace_back(priority, make_by_type(kHooks, list.at(i), "hook", model));
  }
  std::ranges::stable_sort(made, {}, [](const auto& m) { return m.first; });
  std::vector<std::unique_ptr<Hook>> hooks;
  for (auto& [priority, hook] : made) hooks.push_back(std::move(hook));
  return hooks;
}

}  // namespace limber
