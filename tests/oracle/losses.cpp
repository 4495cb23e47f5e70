// losses/: loss values and gradients on hashfill inputs.
#include <cmath>

#include "autograd/autograd.h"
#include "pose/losses/loss.h"
#include "tensor/ops.h"
#include "tests/oracle/networks.h"

namespace limber::oracle {
namespace {

// {"arg": "Case/name.field", "hashfill" | "inline" | "value", "then"}
Tensor loss_argument(const Json& json) {
  if (json.contains("value")) return Tensor::full({}, number(json.at("value")));
  Tensor t;
  if (json.contains("inline")) {
    const Json& data = json.at("inline");
    t = to_tensor(inline_array(data));
    if (data.is_object() && data.value("dtype", "") == "int") t = t.to(DType::i64);
  } else {
    const auto dims = json.at("shape").get<std::vector<int64_t>>();
    t = to_tensor(hashu(json.at("hashfill").get<std::string>(),
                        Shape(std::span<const int64_t>(dims)), number(json.at("lo")),
                        number(json.at("hi"))));
  }
  const std::string then = json.value("then", "");
  check(then.empty() || then == "softmax(5*x) over the last axis", "oracle: unknown step ", then);
  return then.empty() ? t : softmax(t * 5);
}

// Which part of a LossInput an argument is, by the name MMPose gives it.
void file_argument(const std::string& field, const Tensor& value, LossInput& input) {
  const auto begins = [&](const char* prefix) { return field.starts_with(prefix); };
  if (begins("target_weight") || begins("keypoint_weights")) {
    input.weight = value;
  } else if (begins("mask")) {
    input.mask = value;
  } else if (begins("target") || begins("gt_") || begins("pred_t") || field == "preds_T" ||
             begins("keypoint_indices") || field == "areas" || field == "beta") {
    input.targets.push_back(value);
  } else {
    input.outputs.push_back(value);
  }
}

void check_case(const Json& json, Report& report) {
  const std::string name = json.at("name");
  Case result("losses/" + name);
  ParameterStore store(0, /*initialise=*/false);
  std::unique_ptr<Loss> loss;
  try {
    loss = make_loss(to_config(json.at("loss"), "loss"), Scope(store));
  } catch (const InputError& error) {
    if (!is_unknown_type(error)) throw;
    return report.skip(result.name(), error.what());
  }
  // Of all losses only this one sees feature maps, which are channels last here.
  const bool of_features = json.at("loss").at("type") == "FeaLoss";
  check_parameters(store, json.at("params"), result);
  fill(store, 1);
  for (const Parameter& p : store.all())
    if (p.role == Role::parameter) require_grad(p.value);
  LossInput input;
  std::map<std::string, Tensor> leaves;
  for (const Json& argument : json.at("inputs")) {
    const std::string arg = argument.at("arg");
    Tensor value = loss_argument(argument);
    if (of_features) value = permute(value, {0, 2, 3, 1});
    leaves[arg] = value;
    file_argument(arg.substr(arg.rfind('.') + 1), value, input);
  }
  for (const Json& record : json.at("grads")) {
    const auto leaf = leaves.find(record.at("name").get<std::string>().substr(5));
    if (leaf != leaves.end()) require_grad(leaf->second);
  }
  {
    Tape tape;
    const std::vector<Tensor> values = (*loss)(input);
    const Json& outputs = json.at("outputs");
    result.expect(values.size() == outputs.size(),
                  str(values.size(), " values, expected ", outputs.size()));
    Tensor total;
    for (size_t i = 0; i < values.size() && i < outputs.size(); ++i) {
      double size = 0;  // a scalar has no standard deviation to measure errors by
      for (const Json& v : outputs[i].value("values", Json::array()))
        size = std::max(size, std::abs(number(v)));
      result.compare(outputs[i], to_array(values[i]), {.of_std = 1e-5, .absolute = 1e-5 * size});
      total = total.defined() ? total + sum(values[i]) : sum(values[i]);
    }
    tape.backward(total);
  }
  check_gradients(json.at("grads"), store, {leaves.begin(), leaves.end()}, {}, result,
                  /*as_recorded=*/!of_features);
  report.add(result);
}

}  // namespace

void check_losses(const File& file, Report& report) {
  for (const Json& json : file.json.at("cases")) {
    try {
      check_case(json, report);
    } catch (const std::exception& error) {
      report.fail("losses/" + json.at("name").get<std::string>(), error.what());
    }
  }
}

}  // namespace limber::oracle
