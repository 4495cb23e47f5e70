// Training as MMEngine's runner does it: epochs or iterations, schedules, hooks, validation,
// checkpoints, and resuming to the bit.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nn/optim/training_file.h"
#include "pose/engine/build_optim.h"
#include "pose/engine/checkpoint_policy.h"
#include "pose/engine/evaluate.h"
#include "pose/engine/hook.h"
#include "pose/engine/input_staging.h"
#include "pose/engine/step_capture.h"

namespace limber {

struct TrainerOptions {
  std::string work_dir;     // "": the config's, or work_dirs/<config_name>
  std::string config_name;  // the config file's stem
  bool resume = false;      // from resume_from, or from what last_checkpoint names
  std::string resume_from;
  bool amp = false, auto_scale_lr = false, validate = true;
  bool cuda_graph =
      true;  // capture steps on a GPU, unless the config says env_cfg.cuda_graph: false
  std::optional<uint64_t> seed;
  Device device;
};

class Trainer {
 public:
  // Builds everything; throws InputError for what the config or the files get wrong.
  Trainer(const Config& config, const TrainerOptions& options);
  void run();
  const std::string& work_dir() const { return work_dir_; }
  // The last validation's numbers.
  const MetricValues& metrics() const { return metrics_; }

 private:
  struct Length {  // of the run, from train_cfg
    bool by_epoch = true;
    int64_t max = 0, val_begin = 1, val_interval = 1;
    std::vector<std::pair<int64_t, int64_t>> dynamic_intervals;
    bool validates_after(int64_t count) const;
  };
  // What one iteration gave.
  struct Step {
    Scalars losses;  // "loss", the total, last
    double seconds = 0, data_seconds = 0;
    size_t images = 0;
  };

  void read_length();
  void make_optimiser(bool amp, bool auto_scale_lr);
  void start_from(const TrainerOptions& options);
  void rebuild_loader();
  void run_epoch();
  struct Batch {
    std::vector<DataSample> samples;
    Tensor inputs;       // on the host, or made on the device (ImageRecipe)
    double seconds = 0;  // that it was waited for
  };

  std::optional<Batch> next_batch(int64_t iteration);
  std::pair<Tensor, ConstBatch> place(Batch& batch);
  Step step(Batch batch, std::optional<Batch>& next);
  Losses compute_gradients(const Tensor& inputs, ConstBatch samples);
  void update();
  void make_capture(bool wanted);
  void log_step(const Step& step);
  void validate(int64_t count);
  void save(const std::string& name, bool regular);
  void save_if_due(bool by_epoch);
  TrainingParts parts();
  std::string message() const;
  void take_message(const std::string& text);
  int64_t epoch_length() const { return train_loader_->batches(); }
  int64_t total_iterations() const;
  bool finished() const;

  Config config_;
  std::string work_dir_;
  uint64_t seed_ = 0;
  std::unique_ptr<RunLog> log_;
  Model model_;
  std::unique_ptr<Loader> train_loader_, val_loader_;
  std::optional<Evaluator> evaluator_;
  std::optional<BuiltOptim> optim_;
  std::vector<std::unique_ptr<Scheduler>> schedulers_;
  std::vector<std::unique_ptr<Hook>> hooks_;
  std::optional<StepCapture> capture_;
  std::optional<InputStaging> staging_;  // on a GPU
  // What a captured step reads: these lie where they are from one iteration to the next.
  std::vector<DataSample> batch_;
  Tensor inputs_;
  std::optional<CheckpointPolicy> policy_;
  Length length_;
  RunState state_;
  MetricValues metrics_;
  int64_t log_interval_ = 50, batch_size_ = 1;
  std::vector<Step> window_;  // since the last logged line
  double started_ = 0;
  int64_t started_at_ = 0;  // iterations done then
};

}  // namespace limber
