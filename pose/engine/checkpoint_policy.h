// Which checkpoints a run keeps: every so often, the last ones only, the best by a metric. The
// options are those of MMEngine's CheckpointHook.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pose/config/config.h"

namespace limber {

struct CheckpointOptions {
  int64_t interval = -1;  // epochs or iterations; below 1: only save_last and save_best
  bool by_epoch = true;
  int max_keep = -1;  // of the regular ones; below 0: all
  bool save_last = true;
  int64_t save_begin = 0;
  std::string out_dir;                 // "": the work dir
  std::vector<std::string> save_best;  // metrics; "auto": the first there is
  std::vector<bool> greater;           // per metric, whether more is better
};

// Throws InputError for unknown keys and where no rule is given and none is known for a metric.
CheckpointOptions read_checkpoint_options(const Config& hook);

// Whether more of this metric is better, by its name; nothing where the name tells nothing.
std::optional<bool> greater_is_better(const std::string& metric);

// What to do, as a run goes on; pure bookkeeping, no files.
class CheckpointPolicy {
 public:
  CheckpointPolicy(const CheckpointOptions& options, int64_t last) : o_(options), last_(last) {}

  // After `count` epochs (or iterations) are done.
  bool due(int64_t count) const;
  // A regular checkpoint was written; returns those to delete now.
  std::vector<std::string> wrote(const std::string& path);
  // Metrics of a validation: for each that improved, its name and the path of the best so far.
  std::vector<std::pair<std::string, std::string>> improved(
      const std::vector<std::pair<std::string, double>>& metrics);
  void wrote_best(const std::string& metric, const std::string& path) { best_path_[metric] = path; }

  // For resuming.
  const std::vector<std::string>& kept() const { return kept_; }
  const std::map<std::string, double>& best() const { return best_; }
  const std::map<std::string, std::string>& best_paths() const { return best_path_; }
  void restore(std::vector<std::string> kept, std::map<std::string, double> best,
               std::map<std::string, std::string> best_paths);
  const CheckpointOptions& options() const { return o_; }

 private:
  CheckpointOptions o_;
  int64_t last_;  // the count at which the run ends
  std::vector<std::string> kept_;
  std::map<std::string, double> best_;
  std::map<std::string, std::string> best_path_;
};

}  // namespace limber
