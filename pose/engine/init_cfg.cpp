#include "pose/engine/init_cfg.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "nn/init.h"
#include "pose/core/factory.h"
#include "pose/engine/pretrained.h"

namespace limber {
namespace {

struct LayerName {
  const char* given;
  std::vector<const char*> types;  // of this project
};

// PyTorch's classes and the base classes that configs name.
const std::vector<LayerName>& layer_names() {
  static const std::vector<LayerName> names{
      {"Conv1d", {"Conv1d"}},
      {"Conv2d", {"Conv2d"}},
      {"_ConvNd", {"Conv1d", "Conv2d"}},
      {"ConvTranspose2d", {"ConvTranspose2d"}},
      {"_ConvTransposeNd", {"ConvTranspose2d"}},
      {"DeformConv2d", {"DeformConv2d"}},
      {"ModulatedDeformConv2d", {"ModulatedDeformConv2d"}},
      {"ModulatedDeformConv2dPack", {"ModulatedDeformConv2d"}},
      {"Linear", {"Linear"}},
      {"Embedding", {"Embedding"}},
      {"PReLU", {"PReLU"}},
      {"BatchNorm1d", {"BatchNorm"}},
      {"BatchNorm2d", {"BatchNorm"}},
      {"BatchNorm3d", {"BatchNorm"}},
      {"SyncBatchNorm", {"BatchNorm"}},
      {"_BatchNorm", {"BatchNorm"}},
      {"_NormBase", {"BatchNorm"}},
      {"InstanceNorm2d", {"InstanceNorm"}},
      {"_InstanceNorm", {"InstanceNorm"}},
      {"LayerNorm", {"LayerNorm"}},
      {"GroupNorm", {"GroupNorm"}},
      {"ScaleNorm", {"ScaleNorm"}}};
  return names;
}

std::vector<std::string> strings(const Config& c) {
  if (c.is_string()) return {c.as<std::string>()};
  return c.as<std::vector<std::string>>();
}

// The types to initialise; a type once however many names mean it.
std::set<std::string> read_layers(const Config& c) {
  std::set<std::string> types;
  if (!c.has("layer")) return types;
  const Config list = c.at("layer");
  for (const std::string& name : strings(list)) {
    const auto& known = layer_names();
    const auto found =
        std::ranges::find_if(known, [&](const LayerName& l) { return name == l.given; });
    if (found == known.end()) {
      std::vector<std::string> candidates;
      for (const LayerName& l : known) candidates.push_back(l.given);
      fail_input(list.path(), ": unknown layer \"", name, "\"", did_you_mean(name, candidates));
    }
    types.insert(found->types.begin(), found->types.end());
  }
  return types;
}

init::Distribution read_distribution(const Config& c, const char* fallback) {
  const auto name = c.get<std::string>("distribution", fallback);
  check_input(name == "normal" || name == "uniform", c.path(), ".distribution: ", name,
              " is neither normal nor uniform");
  return name == "normal" ? init::Distribution::normal : init::Distribution::uniform;
}

// The negative slope whose gain, sqrt(2 / (1 + slope^2)), is the non-linearity's.
double read_slope(const Config& c) {
  const double a = c.get("a", 0.0);
  const auto name = c.get<std::string>("nonlinearity", "relu");
  if (name == "relu") return 0;
  if (name == "leaky_relu") return a;
  check_input(name == "linear" || name == "sigmoid", c.path(), ".nonlinearity: ", name,
              " is none of relu, leaky_relu, linear, sigmoid");
  return 1;
}

Init read_kaiming(const Config& c) {
  const auto mode = c.get<std::string>("mode", "fan_out");
  check_input(mode == "fan_in" || mode == "fan_out", c.path(), ".mode: ", mode,
              " is neither fan_in nor fan_out");
  const init::Fan fan = mode == "fan_in" ? init::Fan::in : init::Fan::out;
  const init::Distribution distribution = read_distribution(c, "normal");
  return init::kaiming(fan, distribution, read_slope(c));
}

struct Initialiser {
  Init weight, bias;
};

Initialiser read_initialiser(const Config& c) {
  const std::vector<std::string> names{"Constant", "Xavier",  "Normal",       "TruncNormal",
                                       "Uniform",  "Kaiming", "Caffe2Xavier", "Pretrained"};
  std::string type(without_scope(c.type()));
  if (type.ends_with("Init")) type.resize(type.size() - 4);
  double bias = c.get("bias", 0.0);
  if (c.has("bias_prob")) {
    const auto p = c.get<double>("bias_prob");
    check_input(p > 0 && p < 1, c.path(), ".bias_prob: ", p, " is not between 0 and 1");
    bias = -std::log((1 - p) / p);
  }
  Initialiser made{.weight = {}, .bias = init::constant(bias)};
  if (type == "Constant") {
    made.weight = init::constant(c.get<double>("val"));
  } else if (type == "Xavier") {
    const double gain = c.get("gain", 1.0);
    made.weight = init::xavier(gain, read_distribution(c, "normal"));
  } else if (type == "Normal") {
    made.weight = init::normal(c.get("mean", 0.0), c.get("std", 1.0));
  } else if (type == "TruncNormal") {
    made.weight = init::truncated_normal(c.get("mean", 0.0), c.get("std", 1.0), c.get("a", -2.0),
                                         c.get("b", 2.0));
  } else if (type == "Uniform") {
    made.weight = init::uniform(c.get("a", 0.0), c.get("b", 1.0));
  } else if (type == "Kaiming") {
    made.weight = read_kaiming(c);
  } else if (type == "Caffe2Xavier") {
    made.weight = init::caffe2_xavier();
  } else {
    fail_input(c.path(), ".type: unknown initialiser \"", c.type(), "\"",
               did_you_mean(type, names));
  }
  return made;
}

void initialise_types(const Scope& scope, const std::set<std::string>& types,
                      const Initialiser& how) {
  for (const std::string& type : types) {
    scope.store().initialise_layers(scope.path(), type, "weight", how.weight);
    scope.store().initialise_layers(scope.path(), type, "bias", how.bias);
  }
}

// Every weight and bias of one attribute, whatever its layers are.
void initialise_whole(const Scope& scope, const Initialiser& how, const Config& c) {
  bool any = false;
  for (const Parameter& p : scope.store().all()) {
    if (!lies_below(p.name, scope.path()) || p.role != Role::parameter) continue;
    any = true;
    if (p.name.ends_with(".weight")) scope.store().initialise(p.name, how.weight);
    if (p.name.ends_with(".bias")) scope.store().initialise(p.name, how.bias);
  }
  check_input(any, c.path(), ": the module has no parameters under ", scope.path());
}

void apply_override(const Config& c, const Config& parent, const Initialiser& inherited,
                    const Scope& scope) {
  const Scope child = scope / c.get<std::string>("name");
  if (c.has("type")) {
    initialise_whole(child, read_initialiser(c), c);
  } else {
    check_input(c.keys().size() == 1, c.path(), ": needs a type beside its other keys, or a name ",
                "alone to take over ", parent.path());
    initialise_whole(child, inherited, c);
  }
  c.expect_all_read();
}

void apply_entry(const Config& c, const Scope& scope) {
  const Initialiser how = read_initialiser(c);
  initialise_types(scope, read_layers(c), how);
  if (c.has("override")) {
    const Config override = c.at("override");
    if (override.is_list()) {
      for (size_t i = 0; i < override.size(); ++i) apply_override(override.at(i), c, how, scope);
    } else {
      apply_override(override, c, how, scope);
    }
  }
  c.expect_all_read();
}

bool is_pretrained(const Config& c) {
  const std::string type(without_scope(c.type()));
  return type == "Pretrained" || type == "PretrainedInit";
}

std::string apply_pretrained(const Config& c, const Scope& scope, const PretrainedLoader& load) {
  const auto checkpoint = c.get<std::string>("checkpoint");
  const auto given = c.has("prefix") ? c.get<std::string>("prefix") : "";
  const std::string prefix = given.ends_with('.') ? given.substr(0, given.size() - 1) : given;
  (void)c.find("map_location");
  c.expect_all_read();
  if (!scope.store().initialises()) return "";
  const StateDict weights = load(checkpoint);
  const bool any = std::ranges::any_of(weights, [&](const NamedTensor& t) {
    return lies_below(t.name, prefix) || t.name.starts_with("module.");
  });
  check_input(any, c.path(), ": ", checkpoint, " holds nothing below ", given);
  const LoadReport report =
      load_weights(scope.store(), weights, checkpoint,
                   {.file_prefix = prefix, .model_prefix = scope.path(), .strict = false});
  const std::string where = scope.path().empty() ? "the model" : scope.path();
  return "pretrained weights of " + where + " from " + checkpoint + report.text();
}

std::vector<Config> entries_of(const Config& init_cfg) {
  std::vector<Config> entries;
  if (init_cfg.is_list()) {
    for (size_t i = 0; i < init_cfg.size(); ++i) entries.push_back(init_cfg.at(i));
  } else if (!init_cfg.is_null()) {
    entries.push_back(init_cfg);
  }
  return entries;
}

void apply_plain(const Config& init_cfg, const Scope& scope) {
  for (const Config& entry : entries_of(init_cfg))
    if (!is_pretrained(entry)) apply_entry(entry, scope);
}

void apply_all_pretrained(const Config& init_cfg, const Scope& scope, const PretrainedLoader& load,
                          std::vector<std::string>& notes) {
  for (const Config& entry : entries_of(init_cfg)) {
    if (!is_pretrained(entry)) continue;
    const std::string note = apply_pretrained(entry, scope, load);
    if (!note.empty()) notes.push_back(note);
  }
}

}  // namespace

std::vector<std::string> apply_init_cfg(const Config& init_cfg, const Scope& scope,
                                        const PretrainedLoader& load) {
  std::vector<std::string> notes;
  apply_plain(init_cfg, scope);
  apply_all_pretrained(init_cfg, scope, load, notes);
  return notes;
}

std::vector<std::string> apply_model_init(const Config& model, const Scope& root,
                                          const PretrainedLoader& load) {
  std::vector<std::string> notes;
  apply_plain(model.find("init_cfg"), root);
  for (const char* child : {"backbone", "neck", "head"}) {
    if (!model.has(child) || !model.at(child).is_object()) continue;
    const Config node = model.at(child);
    const Config init_cfg = node.find("init_cfg");
    apply_plain(init_cfg, root / child);
    const auto converting = [&](const std::string& checkpoint) {
      return converted_for(node, load(checkpoint), root / child);
    };
    apply_all_pretrained(init_cfg, root / child,
                         std::string_view(child) == "backbone" ? converting : load, notes);
  }
  apply_all_pretrained(model.find("init_cfg"), root, load, notes);
  return notes;
}

}  // namespace limber
