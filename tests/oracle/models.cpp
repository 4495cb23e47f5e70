// models/: whole networks in evaluation mode, filled by the hashfill rule.
#include "pose/estimators/estimator.h"
#include "pose/necks/neck.h"
#include "tensor/op.h"
#include "tests/oracle/networks.h"

namespace limber::oracle {
namespace {

Tensor network_input(const File& file) {
  const auto dims = file.json.at("input_shape").get<std::vector<int64_t>>();
  const Shape shape{std::span<const int64_t>(dims)};
  if (shape.rank() == 4 && shape[1] == 3) return channels_last(hash_image(shape));
  return to_tensor(hashv("input", shape));
}

void check_outputs(const File& file, const Outputs& outputs, Case& result) {
  for (const Json& record : file.json.at("outputs")) {
    const std::string name = record.at("name");
    const std::string key = name == "output" ? "" : name.substr(7);
    bool found = false;
    for (const auto& [own, value] : outputs)
      if (own == key) {
        result.compare(record, to_array(value), {.of_std = 1e-3, .absolute = 1e-6});
        found = true;
      }
    result.expect(found, "output missing: " + name);
  }
}

// The reference counts constants that it holds as frozen parameters (linspace_x) and leaves out
// those that are buffers, so both numbers are right.
void check_count(const ParameterStore& store, int64_t expected, Case& result) {
  int64_t constants = 0;
  for (const Parameter& p : store.all())
    if (p.role == Role::constant) constants += p.value.numel();
  result.expect(
      expected == store.count() || expected == store.count() + constants,
      str(store.count(), " parameters and ", constants, " constants, expected ", expected));
}

// Compares maps with the records of "stages" whose names begin so, in order.
void check_maps(const File& file, const std::string& prefix, const Features& maps, Case& result) {
  size_t i = 0;
  for (const Json& record : file.json.at("stages")) {
    if (!record.at("name").get<std::string>().starts_with(prefix)) continue;
    if (i < maps.size()) result.compare(record, feature_array(maps[i]), {.of_std = 1e-3});
    ++i;
  }
  result.expect(i == maps.size(), str(prefix, " ", maps.size(), " maps, expected ", i));
}

// What leaves backbone and neck, where the head's output says little about them.
void check_features(const File& file, Case& result) {
  ParameterStore store(0, /*initialise=*/false);
  const Scope root(store);
  const Json& model = file.json.at("model");
  const auto backbone =
      make_backbone(to_config(model.at("backbone"), "backbone"), root / "backbone");
  std::unique_ptr<Neck> neck;
  if (model.contains("neck")) neck = make_neck(to_config(model.at("neck"), "neck"), root / "neck");
  fill(store, file.json.value("gain", 1.0));
  const Features maps = (*backbone)(network_input(file));
  check_maps(file, "backbone/", maps, result);
  if (neck) check_maps(file, "neck/", (*neck)(maps), result);
}

}  // namespace

void check_models(const File& file, Report& report) {
  const NoRecord no_record;
  ParameterStore store(0, /*initialise=*/false);
  std::unique_ptr<Estimator> model;
  try {
    model = make_estimator(to_config(file.json.at("model"), "model"), Scope(store));
  } catch (const InputError& error) {
    if (!is_unknown_type(error)) throw;
    report.skip(file.name, error.what());
    return;
  }
  Case result(file.name);
  check_parameters(store, file.json.at("params"), result);
  check_count(store, file.json.at("num_params").get<int64_t>(), result);
  if (result.faults().empty()) {
    fill(store, file.json.value("gain", 1.0));
    check_outputs(file, model->forward(network_input(file)), result);
    if (file.json.value("batch_sensitivity", 1.0) < 0.02) check_features(file, result);
  }
  report.add(result);
}

}  // namespace limber::oracle
