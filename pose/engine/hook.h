// What may happen at fixed points of a training run, besides the loop itself. Hooks are chosen by
// the config's custom_hooks; those of default_hooks are part of the trainer.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nn/optim/ema.h"
#include "pose/config/config.h"
#include "pose/engine/model.h"
#include "pose/engine/run_log.h"

namespace limber {

// What hooks see of a run. Counts are of what is done: epoch 0 while the first epoch runs.
struct RunState {
  Model* model = nullptr;
  RunLog* log = nullptr;
  int64_t epoch = 0, iteration = 0;
  int64_t max_epochs = 0, max_iterations = 0;
  // Set by a hook that wants other training data from here on: replaces the node
  // train_dataloader.dataset.pipeline (or what a path names).
  Config new_pipeline, new_dataset;
};

struct Hook {
  virtual ~Hook() = default;
  virtual void before_train(RunState&) {}
  virtual void before_epoch(RunState&) {}
  // After the optimiser's step, as a part of what the trainer may capture (tensor/capture.h).
  virtual void after_update(RunState&) {}
  virtual void after_iteration(RunState&) {}
  virtual void before_validation(RunState&) {}
  virtual void after_validation(RunState&) {}
  // The averaged weights, of the hook that keeps some.
  virtual AveragedModel* average() { return nullptr; }
};

// custom_hooks, in the order of their priorities. Throws InputError for unknown types and keys.
std::vector<std::unique_ptr<Hook>> make_hooks(const Config& list, Model& model);

}  // namespace limber
