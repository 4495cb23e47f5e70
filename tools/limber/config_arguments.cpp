#include "kernels/cuda/runtime/libraries.h"
#include "pose/engine/run_config.h"
#include "tensor/op.h"
#include "tools/limber/commands.h"

namespace limber::tool {
namespace {

bool is_override(const std::string& word) { return word.find('=') != std::string::npos; }

}  // namespace

void ConfigArguments::add_file(CLI::App& command) {
  command.add_option("config", file, "config file (.json, or MMPose's .py)")->required();
}

void ConfigArguments::add_flags(CLI::App& command) {
  command.add_option("--cfg-options", options, "overrides of config values: key.path=value ...");
  command.add_option("--device", device, "where to compute: cpu, cuda, cuda:N")
      ->capture_default_str();
  command.add_flag("--allow-tf32", allow_tf32,
                   "products of f32 on tensor cores, operands rounded to 10 bits (on a GPU)");
  command.add_option("--threads", threads, "threads to use (default: all cores)")
      ->check(CLI::PositiveNumber);
}

CLI::Option* ConfigArguments::add_amp(CLI::App& command, const char* what) {
  return command.add_option("--amp", amp, what)->check(CLI::IsMember({"f16", "bf16"}));
}

DType ConfigArguments::precision() const {
  check_input(amp.empty() || place().is_cuda(), "--amp: mixed precision needs a GPU");
  return amp == "f16" ? DType::f16 : amp == "bf16" ? DType::bf16 : DType::f32;
}

void ConfigArguments::add_options(CLI::App& command) {
  add_flags(command);
  command.add_option("overrides", overrides, "overrides of config values: key.path=value ...")
      ->check([](const std::string& word) {
        return is_override(word) ? std::string() : "\"" + word + "\" is not key.path=value";
      });
}

Config ConfigArguments::load() const {
  check_input(!allow_tf32 || place().is_cuda(), "--allow-tf32: TF32 is a GPU's, see --device");
  place();
  if (threads > 0) set_threads(threads);
  Config config = load_config(file);
  std::vector<std::string> all = options;
  all.insert(all.end(), overrides.begin(), overrides.end());
  apply_overrides(config, all);
  if (file.ends_with(".json")) check_top_level(config);
  const Config env = config.find("env_cfg");
  kernels::gpu::set_tf32(allow_tf32 || env.get<bool>("allow_tf32", false));
  kernels::gpu::set_tuning(env.get<bool>("cudnn_benchmark", false));
  return config;
}

std::vector<int64_t> input_shape(const Config& config, const std::vector<int64_t>& given) {
  if (given.size() == 1) return {given[0], given[0]};
  if (given.size() == 2) return given;
  for (const Config& node :
       {config.find("codec"), config.at("model").find("head").find("decoder")}) {
    if (!node.is_object()) continue;
    const Config size = node.find(node.has("input_size") ? "input_size" : "image_size");
    if (!size.is_null()) return {size.at(1).as<int64_t>(), size.at(0).as<int64_t>()};
  }
  // Models that take pictures of any size: the first one that their test resizes to.
  const Config pipeline =
      config.has("test_dataloader") ? test_dataset(config).find("pipeline") : Config();
  for (size_t i = 0; i < (pipeline.is_list() ? pipeline.size() : 0); ++i)
    if (const Config scales = pipeline.at(i).find("scales"); scales.is_list() && scales.size() > 0)
      return {scales.at(0).at(0).as<int64_t>(), scales.at(0).at(1).as<int64_t>()};
  fail_input(config.path(), ": no codec.input_size; say --shape ROWS COLUMNS");
}

Config test_dataset(const Config& config) {
  Config dataset = config.at("test_dataloader").at("dataset");
  while (!dataset.has("pipeline") && dataset.has("dataset")) dataset = dataset.at("dataset");
  return dataset;
}

}  // namespace limber::tool
