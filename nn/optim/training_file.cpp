#include "nn/optim/training_file.h"

#include <cstring>
#include <nlohmann/json.hpp>

#include "nn/stored_layout.h"

namespace limber {
namespace {

using Json = nlohmann::json;

constexpr const char* kKey = "limber_training";
const std::string kRoot(kTrainingPrefix);

Json group_values(const Optimizer& optimizer) {
  Json groups = Json::array();
  for (const ParamGroup& group : optimizer.groups()) {
    Json initial = Json::array();
    for (const auto& value : group.initial) initial.push_back(value ? Json(*value) : Json());
    groups.push_back({{"values", group.values}, {"initial", initial}});
  }
  return groups;
}

void restore_groups(const Json& saved, Optimizer& optimizer, const std::string& path) {
  auto& groups = optimizer.groups();
  check_input(saved.size() == groups.size(), path, ": ", saved.size(),
              " parameter groups, the optimiser has ", groups.size());
  for (size_t g = 0; g < groups.size(); ++g) {
    groups[g].values = saved[g].at("values").get<std::array<double, 3>>();
    for (size_t i = 0; i < 3; ++i) {
      const Json& initial = saved[g].at("initial").at(i);
      groups[g].initial[i] =
          initial.is_null() ? std::nullopt : std::optional(initial.get<double>());
    }
  }
}

Tensor state_tensor(const Random& random) {
  std::vector<int64_t> words;
  for (const uint64_t word : random.state()) words.push_back(int64_t(word));
  return Tensor::from(words, {int64_t(words.size())});
}

void restore_random(Random& random, const Tensor& words, const std::string& where) {
  Random::State state{};
  check_input(words.dtype() == DType::i64 && words.numel() == int64_t(state.size()), where,
              ": four i64 expected");
  for (size_t i = 0; i < state.size(); ++i) state[i] = uint64_t(words.data<int64_t>()[i]);
  random.set_state(state);
}

// Weights and averages, each under the name that the head of this file's header gives them.
void add_weights(StateDict& out, const TrainingParts& parts) {
  out = weights_of(*parts.store);
  if (parts.average == nullptr) return;
  for (NamedTensor& entry : out) entry.name = kRoot + "raw/" + entry.name;
  std::map<std::string, Tensor> averages;
  for (const NamedTensor& entry : parts.average->averages()) averages[entry.name] = entry.value;
  for (const Parameter& p : parts.store->all()) {
    const auto found = averages.find(p.tied_to.empty() ? p.name : p.tied_to);
    out.push_back({p.name, to_stored(p, found == averages.end() ? p.value : found->second)});
  }
}

StateDict read_below(const SafetensorsFile& file, const std::string& prefix) {
  StateDict found;
  for (const auto& entry : file.entries())
    if (entry.name.starts_with(prefix))
      found.push_back({entry.name.substr(prefix.size()), file.read(entry)});
  return found;
}

// The file's own weights are the averages; the raw ones, where there are any, the model's.
void restore_weights(const SafetensorsFile& file, const TrainingParts& parts, int64_t steps) {
  load_weights(*parts.store, file.path());
  if (parts.average == nullptr) return;
  StateDict averages;
  for (const Parameter& p : parts.store->all())
    if (p.role != Role::constant && p.tied_to.empty())
      averages.push_back({p.name, p.value.clone()});
  parts.average->load(averages, steps);
  const StateDict raw = read_below(file, kRoot + "raw/");
  if (!raw.empty()) load_weights(*parts.store, raw, file.path());
}

TrainingInfo read_info(const Json& state) {
  TrainingInfo info;
  info.epoch = state.at("epoch").get<int64_t>();
  info.iter = state.at("iter").get<int64_t>();
  info.seed = state.at("seed").get<uint64_t>();
  info.config = state.at("config").get<std::string>();
  info.message = state.at("message").get<std::string>();
  return info;
}

}  // namespace

void save_training(const std::string& path, const TrainingParts& parts, const TrainingInfo& info) {
  StateDict tensors;
  add_weights(tensors, parts);
  Json state{{"format", 1},
             {"epoch", info.epoch},
             {"iter", info.iter},
             {"seed", info.seed},
             {"config", info.config},
             {"message", info.message},
             {"schedulers", Json::array()}};
  if (parts.optimizer != nullptr) {
    for (const NamedTensor& entry : parts.optimizer->state())
      tensors.push_back({kRoot + "optimizer/" + entry.name, entry.value});
    state["groups"] = group_values(*parts.optimizer);
  }
  if (parts.scaler != nullptr) {
    const GradScaler::State scaler = parts.scaler->state();
    state["loss_scale"] = {{"scale", scaler.scale}, {"steps", scaler.steps_since_change}};
  }
  if (parts.average != nullptr) state["average_steps"] = parts.average->steps();
  for (const Scheduler* scheduler : parts.schedulers)
    state["schedulers"].push_back(scheduler->save());
  for (const auto& [name, random] : parts.randoms)
    tensors.push_back({kRoot + "random/" + name, state_tensor(*random)});
  write_safetensors(path, tensors,
                    {{kKey, state.dump(-1, ' ', false, Json::error_handler_t::replace)}});
}

TrainingInfo load_training(const std::string& path, const TrainingParts& parts) {
  const SafetensorsFile file(path);
  const auto found = file.metadata().find(kKey);
  check_input(found != file.metadata().end(), path,
              ": holds weights only, no training to go on with");
  try {
    const Json state = Json::parse(found->second);
    check_input(state.at("format") == 1, path, ": training state of format ",
                state.at("format").dump(), ", format 1 is supported");
    const TrainingInfo info = read_info(state);
    const Json& schedulers = state.at("schedulers");
    check_input(schedulers.size() == parts.schedulers.size(), path, ": ", schedulers.size(),
                " schedulers, the config has ", parts.schedulers.size());
    restore_weights(file, parts, state.value("average_steps", int64_t{0}));
    if (parts.optimizer != nullptr) {
      restore_groups(state.at("groups"), *parts.optimizer, path);
      parts.optimizer->load_state(read_below(file, kRoot + "optimizer/"));
    }
    if (parts.scaler != nullptr && state.contains("loss_scale")) {
      const Json& scaler = state.at("loss_scale");
      parts.scaler->restore({scaler.at("scale").get<double>(), scaler.at("steps").get<int64_t>()});
    }
    for (size_t i = 0; i < schedulers.size(); ++i)
      parts.schedulers[i]->restore(schedulers[i].get<std::string>());
    for (const auto& [name, random] : parts.randoms) {
      const std::string entry = kRoot + "random/" + name;
      restore_random(*random, file.read(entry), path + ": " + entry);
    }
    return info;
  } catch (const Json::exception& error) {
    fail_input(path, ": training state: ", error.what());
  }
}

}  // namespace limber
