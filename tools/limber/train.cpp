// limber train CONFIG
#include <filesystem>
#include <memory>

#include "pose/engine/trainer.h"
#include "tools/limber/commands.h"

namespace limber::tool {
namespace {

struct Arguments {
  ConfigArguments config;
  TrainerOptions train;
  bool no_validate = false;
  uint64_t seed = 0;
};

}  // namespace

void add_train(CLI::App& app) {
  CLI::App* command = app.add_subcommand("train", "train a model");
  const auto a = std::make_shared<Arguments>();
  a->config.add_file(*command);
  command->add_option(
      "--work-dir", a->train.work_dir,
      "where logs and checkpoints go (default: the config's, or work_dirs/<config>)");
  CLI::Option* resume =
      command
          ->add_option("--resume", a->train.resume_from,
                       "go on from this checkpoint, or without one from the work dir's last")
          ->expected(0, 1);
  command->add_flag("--amp", a->train.amp,
                    "mixed precision: f16, or the config's dtype, and a scaled loss (on a GPU)");
  command->add_flag("--cuda-graph,!--no-cuda-graph", a->train.cuda_graph,
                    "on a GPU, capture the training step as one CUDA graph (default: on)");
  command->add_flag("--no-validate", a->no_validate, "train without validation");
  command->add_flag("--auto-scale-lr", a->train.auto_scale_lr,
                    "scale the learning rate by the batch size");
  CLI::Option* seed = command->add_option("--seed", a->seed, "same seed, same weights, to the bit");
  a->config.add_options(*command);
  command->callback([a, resume, seed] {
    a->train.resume = resume->count() > 0;
    // `--resume key=value`: the word is an override, not a checkpoint.
    if (a->train.resume_from.find('=') != std::string::npos) {
      a->config.overrides.push_back(a->train.resume_from);
      a->train.resume_from.clear();
    }
    a->train.validate = !a->no_validate;
    if (seed->count() > 0) a->train.seed = a->seed;
    a->train.config_name = std::filesystem::path(a->config.file).stem();
    a->train.device = a->config.place();
    Trainer trainer(a->config.load(), a->train);
    trainer.run();
  });
}

}  // namespace limber::tool
