// What a run tells people and files: lines on the terminal and in a log file, scalars as JSON lines
// and TensorBoard events. The layout of the work dir is MMEngine's:
//
//   work_dir/<timestamp>/<timestamp>.log
//   work_dir/<timestamp>/vis_data/scalars.json, <timestamp>.json, config.json, events.out...
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pose/engine/event_file.h"

namespace limber {

using Scalars = std::vector<std::pair<std::string, double>>;

// Where a training run stands, for the progress line.
struct Progress {
  int64_t epoch = 0, max_epochs = 0;  // counted from 1; max_epochs 0: a run counted in iterations
  int64_t iteration = 0, iterations = 0;  // of this epoch, or of the whole run
  double images_per_second = 0, data_seconds = 0, eta_seconds = 0;
};

class RunLog {
 public:
  RunLog() = default;  // terminal only
  // Creates the folders; throws InputError where it cannot.
  explicit RunLog(const std::string& work_dir);

  void info(const std::string& text);  // one line, on the terminal and in the log
  void warn(const std::string& text);
  // A line that replaces the one before it on a terminal; nothing elsewhere.
  void progress(const Progress& p, const Scalars& values);
  // One JSON line with these values in order, and an event for each.
  void scalars(const Scalars& values, int64_t step);

  // work_dir/<timestamp>; "" without a work dir.
  const std::string& folder() const { return folder_; }
  const std::string& timestamp() const { return timestamp_; }
  bool on_terminal() const { return terminal_; }

 private:
  struct Close {
    void operator()(std::FILE* f) const { std::fclose(f); }
  };
  using FilePointer = std::unique_ptr<std::FILE, Close>;
  void write(std::FILE* out, const std::string& text);
  void clear_progress();

  bool terminal_ = false;
  bool progress_shown_ = false;
  std::string folder_, timestamp_;
  FilePointer log_, scalars_, all_scalars_;
  std::unique_ptr<EventFile> events_;
};

// "1:02:03"
std::string format_duration(double seconds);

}  // namespace limber
