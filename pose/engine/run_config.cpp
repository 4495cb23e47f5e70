#include "pose/engine/run_config.h"

#include <algorithm>

#include "tensor/error.h"

namespace limber {

void check_top_level(const Config& config) {
  static const std::vector<std::string> known{
      "model",         "train_dataloader", "val_dataloader", "test_dataloader", "train_cfg",
      "val_cfg",       "test_cfg",         "optim_wrapper",  "param_scheduler", "auto_scale_lr",
      "default_hooks", "custom_hooks",     "val_evaluator",  "test_evaluator",  "work_dir",
      "load_from",     "resume",           "randomness",     "env_cfg",         "log_processor",
      "log_level",     "default_scope",    "vis_backends",   "visualizer",      "codec",
      "dataset_type",  "data_mode",        "data_root",      "backend_args",    "custom_imports",
      "launcher"};
  for (const std::string& key : config.keys())
    check_input(std::ranges::find(known, key) != known.end(), config.path(), ": unknown key \"",
                key, "\"", did_you_mean(key, known));
}

}  // namespace limber
