// models/: whole networks in evaluation mode, filled by the hashfill rule.
#include "pose/estimators/estimator.h"
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
  }
  report.add(result);
}

}  // namespace limber::oracle
