// limber convert IN OUT: a config as one resolved JSON file, or a checkpoint in the other format.
#include <filesystem>
#include <memory>

#include "nn/pth_writer.h"
#include "pose/engine/checkpoint_names.h"
#include "pose/engine/model.h"
#include "tensor/write_file.h"
#include "tools/limber/commands.h"

namespace limber::tool {
namespace {

struct Arguments {
  ConfigArguments config;  // of the checkpoint's model; or what is to be converted
  std::string in, out, model;
  bool student = false, second_stage = false;
};

std::string extension(const std::string& path) { return std::filesystem::path(path).extension(); }

void save_as_pth(const StateDict& weights, const std::string& path) {
  PickleValue state = PickleValue::dict(), tree = PickleValue::dict();
  for (const NamedTensor& t : weights) state.set(t.name, t.value);
  tree.set("meta", PickleValue::dict());
  tree.set("state_dict", state);
  save_pth(path, tree);
}

void convert_config(const Arguments& a) {
  check_input(extension(a.out) == ".json", a.out, ": a config becomes a .json file");
  const std::string text = a.config.load().dump() + "\n";
  write_file_atomically(a.out, text);
}

// The model that a distiller's checkpoint is about, by the names of a model of its own: the
// student, or in the second stage the teacher's backbone and neck under the student's head.
StateDict distilled(const StateDict& weights, bool second_stage, const std::string& file) {
  StateDict out;
  for (const NamedTensor& t : weights) {
    const size_t dot = t.name.find('.');
    if (dot == std::string::npos) continue;
    const std::string owner = t.name.substr(0, dot), own = t.name.substr(dot + 1);
    if (owner == (second_stage && !lies_below(own, "head") ? "teacher" : "student"))
      out.push_back({own, t.value});
  }
  check_input(!out.empty(), file, ": no checkpoint of a distiller: nothing below student.");
  return out;
}

void convert_checkpoint(const Arguments& a) {
  StateDict weights = read_weights(a.in);
  if (a.student) weights = distilled(weights, a.second_stage, a.in);
  if (!a.model.empty()) {
    const Model model = build_model(load_config(a.model), 0, /*initialise=*/false);
    load_weights(*model.store, upgraded(std::move(weights), *model.store), a.in);
    weights = weights_of(*model.store);
  }
  if (extension(a.out) == ".pth")
    save_as_pth(weights, a.out);
  else
    write_safetensors(a.out, weights, {});
}

}  // namespace

void add_convert(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "convert", "a config (.py, .json) to JSON, or a checkpoint to .safetensors or .pth");
  const auto a = std::make_shared<Arguments>();
  command->add_option("in", a->in, "config or checkpoint to read")->required();
  command->add_option("out", a->out, ".json, .safetensors or .pth file to write")->required();
  command->add_option("--model", a->model,
                      "config of the checkpoint's model: checks that it fits and gives old names "
                      "their new form");
  CLI::Option* student = command->add_flag(
      "--student", a->student, "of a distiller's checkpoint, the model that it trained");
  command
      ->add_flag("--two-dis", a->second_stage,
                 "it is of the second stage: the teacher's backbone, the student's head")
      ->needs(student);
  a->config.add_options(*command);
  command->callback([a] {
    const std::string from = extension(a->in), to = extension(a->out);
    const bool config = from == ".py" || from == ".json";
    check_input(config || to == ".pth" || to == ".safetensors", a->out,
                ": a checkpoint becomes a .safetensors or a .pth file");
    a->config.file = a->in;
    config ? convert_config(*a) : convert_checkpoint(*a);
  });
}

}  // namespace limber::tool
