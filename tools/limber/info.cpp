// limber info [CONFIG]: what a model weighs and costs; without a config, what this program runs on.
#include <fmt/format.h>

#include <map>
#include <memory>
#include <optional>

#include "kernels/cpu/runtime/cpu_features.h"
#include "kernels/cuda/runtime/gpu.h"
#include "kernels/cuda/runtime/memory_report.h"
#include "nn/flops.h"
#include "pose/engine/model.h"
#include "tools/limber/commands.h"

namespace limber::tool {
namespace {

struct Arguments {
  ConfigArguments config;
  std::string checkpoint;
  std::vector<int64_t> shape;
  bool layers = false, row = false;
};

void print_gpus() {
  using namespace kernels::gpu;
  const int count = device_count();
  if (count == 0) fmt::print("GPU: none, {}\n", why_none());
  for (int i = 0; i < count; ++i) {
    const DeviceInfo info = device_info(i);
    fmt::print("GPU: cuda:{}, {}", i, info.name);
    if (!is_emulated())
      fmt::print(", compute capability {}.{}, {} processors, {:.1f} of {:.1f} GB free, {}",
                 info.major, info.minor, info.processors, double(info.free_memory) / 1e9,
                 double(info.memory) / 1e9, info.versions);
    fmt::print("\n{}\n", memory_report(i));
  }
}

void print_machine() {
  std::string isas;
  for (kernels::Isa isa : kernels::kIsas)
    if (kernels::has_isa(isa)) isas += (isas.empty() ? "" : ", ") + std::string(isa_name(isa));
  fmt::print("limber {}\nCPU kernels: {} (using {}), {} threads\n", LIMBER_VERSION, isas,
             std::string(isa_name(default_exec().isa)), threads());
  print_gpus();
}

// Parameters summed by the first `depth` parts of their names.
void print_parameters(const ParameterStore& store, int depth) {
  std::vector<std::pair<std::string, int64_t>> rows;
  for (const Parameter& p : store.all()) {
    if (p.role != Role::parameter || !p.tied_to.empty()) continue;
    size_t end = 0;
    for (int i = 0; i < depth && end != std::string::npos; ++i)
      end = p.name.find('.', end + (i > 0));
    const std::string part = p.name.substr(0, end);
    if (rows.empty() || rows.back().first != part) rows.emplace_back(part, 0);
    rows.back().second += p.value.numel();
  }
  for (const auto& [part, count] : rows) fmt::print("  {:<40} {:>12}\n", part, count);
}

std::string type_of(const Config& model, const char* part) {
  return model.has(part) && model.at(part).is_object() ? model.at(part).type() : "";
}

// One sample's input: an image of these rows and columns, or for lifting the sequence of key points
// that the backbone sees at once.
Shape input_of(const Config& config, const std::vector<int64_t>& given) {
  const Config model = config.at("model"), backbone = model.find("backbone");
  if (model.type() == "PoseLifter" && backbone.type() == "TCN") {
    int64_t frames = 1;
    for (int64_t k : backbone.get<std::vector<int64_t>>("kernel_sizes", {3, 3, 3})) frames *= k;
    return {1, backbone.get<int64_t>("in_channels"), frames};
  }
  if (model.type() == "PoseLifter")
    return {1, backbone.get<int64_t>("seq_len", 243), backbone.get<int64_t>("num_keypoints", 17),
            backbone.get<int64_t>("in_channels", 3)};
  const auto shape = input_shape(config, given);
  return {1, shape[0], shape[1], 3};
}

void run(const Arguments& a) {
  if (a.config.file.empty()) return print_machine();
  const Config config = a.config.load();
  const Model model = build_model(config, 0, /*initialise=*/false);
  if (!a.checkpoint.empty()) {
    load_model(model, a.checkpoint);
  } else {  // CIDHead works per person that it finds: on even maps, for as many as it takes
    for (const Parameter& p : model.store->all())
      Tensor(p.value).copy_from(Tensor::zeros(p.value.shape(), p.value.dtype()));
  }
  const Tensor input = Tensor::zeros(input_of(config, a.shape));
  reset_peak_memory();
  FlopCounter counter;
  const Outputs outputs = model.estimator->forward(input);
  if (a.row) {
    const Config node = config.at("model");
    const std::string size = input.rank() == 4 && input.size(3) == 3 && node.type() != "PoseLifter"
                                 ? fmt::format("{}x{}", input.size(2), input.size(1))
                                 : fmt::format("{} frames", input.size(input.rank() == 3 ? 2 : 1));
    fmt::print("| {} | {} | {} | {} | {:.3f} | {:.3f} |\n", a.config.file,
               type_of(node, "backbone"), type_of(node, "head"), size,
               double(model.store->count()) / 1e6, double(counter.products()) / 1e9);
    return;
  }
  fmt::print("input        {}\n", str(input.shape()));
  for (const auto& [name, value] : outputs)
    fmt::print("output       {} {}\n", str(value.shape()), name);
  fmt::print("parameters   {} ({:.3f} M)\n", model.store->count(),
             double(model.store->count()) / 1e6);
  print_parameters(*model.store, a.layers ? 2 : 1);
  fmt::print("FLOPs        {:.3f} G multiply-adds, {:.3f} G element-wise, {} ops\n",
             double(counter.products()) / 1e9, double(counter.elementwise()) / 1e9, counter.ops());
  fmt::print("peak memory  {:.1f} MB with the weights, one sample\n",
             double(memory_stats().peak) / 1e6);
}

}  // namespace

void add_info(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("info", "a model's parameters, FLOPs and memory; or what this runs on");
  const auto a = std::make_shared<Arguments>();
  command->add_option("config", a->config.file, "config file; without one: this program");
  command->add_option("--checkpoint", a->checkpoint, "check that these weights fit");
  command->add_option("--shape", a->shape, "rows and columns of the input")
      ->expected(1, 2)
      ->check(CLI::PositiveNumber);
  command->add_flag("--layers", a->layers, "parameters one level deeper");
  command->add_flag("--row", a->row, "one row of a Markdown table instead (docs/model-zoo.md)");
  a->config.add_options(*command);
  command->callback([a] { run(*a); });
}

}  // namespace limber::tool
