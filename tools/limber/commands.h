// The subcommands of `limber`. Each adds itself to the command line; what it is to do is set as the
// subcommand's callback and runs after parsing. Exit codes: 0 done, 2 usage, 3 bad input or
// config, 1 anything else.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "pose/config/config.h"
#include "pose/metrics/metric.h"
#include "tensor/device.h"

namespace limber::tool {

void add_train(CLI::App& app);
void add_test(CLI::App& app);
void add_predict(CLI::App& app);
void add_lift(CLI::App& app);
void add_info(CLI::App& app);
void add_browse(CLI::App& app);
void add_synth(CLI::App& app);
void add_synth3d(CLI::App& app);
void add_report(CLI::App& app);
void add_bench(CLI::App& app);
void add_eval(CLI::App& app);
void add_export(CLI::App& app);
void add_config(CLI::App& app);
void add_convert(CLI::App& app);

// What the commands that read a config share: the file, --cfg-options, bare key.path=value
// overrides, --device, --allow-tf32 and --threads.
struct ConfigArguments {
  std::string file;
  std::vector<std::string> options, overrides;
  std::string device = "cpu";
  int threads = 0;
  bool allow_tf32 = false;
  std::string amp;

  void add_file(CLI::App& command);
  // --cfg-options, --device, --allow-tf32, --threads.
  void add_flags(CLI::App& command);
  // --amp f16 or bf16.
  CLI::Option* add_amp(CLI::App& command, const char* what);
  // These, and last, since they take the remaining words, the overrides.
  void add_options(CLI::App& command);
  // Reads the file, applies the overrides, sets the threads and what env_cfg says of the GPU's
  // libraries; throws where the device is not there.
  Config load() const;
  Device place() const { return parse_device(device); }
  DType precision() const;  // what --amp says; throws where the device is not a GPU
};

// Rows and columns of the network's input: those given (one number: a square), the codec's, or what
// the test pipeline resizes to.
std::vector<int64_t> input_shape(const Config& config, const std::vector<int64_t>& given);

inline bool is_model_file(const std::string& path) { return path.ends_with(".limber"); }

// {"name": value, ...}, what --out of `limber test` and `limber eval` writes.
std::string metrics_as_json(const MetricValues& metrics);

// The data set that test_dataloader reads, below what wraps it.
Config test_dataset(const Config& config);

}  // namespace limber::tool
