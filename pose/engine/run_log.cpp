#include "pose/engine/run_log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstring>

#include "tensor/error.h"
#include "tensor/write_file.h"

namespace limber {

namespace {

double wall_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// JSON has no NaN or infinity; Python's json module, which readers of these files use, accepts the
// words.
std::string json_number(double v) {
  if (std::isnan(v)) return "NaN";
  if (std::isinf(v)) return v > 0 ? "Infinity" : "-Infinity";
  return fmt::format("{}", v);
}

std::FILE* open_for_append(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "a");
  check_input(file != nullptr, path, ": cannot write: ", std::strerror(errno));
  return file;
}

}  // namespace

std::string format_duration(double seconds) {
  const int64_t s = std::max<int64_t>(0, std::llround(seconds));
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

RunLog::RunLog(const std::string& work_dir) : terminal_(isatty(STDOUT_FILENO) != 0) {
  const std::time_t now = std::time(nullptr);
  timestamp_ = fmt::format("{:%Y%m%d_%H%M%S}", fmt::localtime(now));
  folder_ = work_dir + "/" + timestamp_;
  const std::string data = folder_ + "/vis_data";
  make_folder(data);
  log_.reset(open_for_append(folder_ + "/" + timestamp_ + ".log"));
  scalars_.reset(open_for_append(data + "/scalars.json"));
  all_scalars_.reset(open_for_append(data + "/" + timestamp_ + ".json"));
  events_ = std::make_unique<EventFile>(data, int64_t(now));
}

void RunLog::clear_progress() {
  if (progress_shown_) std::fputs("\r\033[K", stdout);
  progress_shown_ = false;
}

void RunLog::write(std::FILE* out, const std::string& text) {
  clear_progress();
  fmt::print(out, "{}\n", text);
  std::fflush(out);
  if (log_ == nullptr) return;
  const std::time_t now = std::time(nullptr);
  fmt::print(log_.get(), "{:%Y/%m/%d %H:%M:%S} - {}\n", fmt::localtime(now), text);
  std::fflush(log_.get());
}

void RunLog::info(const std::string& text) { write(stdout, text); }
void RunLog::warn(const std::string& text) { write(stderr, "warning: " + text); }

void RunLog::progress(const Progress& p, const Scalars& values) {
  if (!terminal_) return;
  std::string line = p.max_epochs > 0 ? fmt::format("epoch {}/{} ", p.epoch, p.max_epochs) : "";
  line += fmt::format("[{}/{}]", p.iteration, p.iterations);
  for (const auto& [name, value] : values) line += fmt::format("  {} {:.4g}", name, value);
  line += fmt::format("  {:.0f} images/s  data {:.0f} ms  ETA {}", p.images_per_second,
                      p.data_seconds * 1e3, format_duration(p.eta_seconds));
  fmt::print("\r\033[K{}", line);
  std::fflush(stdout);
  progress_shown_ = true;
}

void RunLog::scalars(const Scalars& values, int64_t step) {
  if (scalars_ == nullptr) return;
  std::string line = "{";
  for (const auto& [name, value] : values)
    line += fmt::format("\"{}\": {}, ", name, json_number(value));
  line += fmt::format("\"step\": {}}}\n", step);
  for (std::FILE* file : {scalars_.get(), all_scalars_.get()}) {
    std::fputs(line.c_str(), file);
    std::fflush(file);
  }
  const double now = wall_time();
  for (const auto& [name, value] : values) events_->scalar(name, value, step, now);
  events_->flush();
}

}  // namespace limber
