// schedules/: learning rates over time, optimisers on a small network, averages, layer decay.
#include <cmath>
#include <fstream>
#include <map>

#include "autograd/autograd.h"
#include "nn/layers.h"
#include "nn/optim/param_groups.h"
#include "nn/stored_layout.h"
#include "pose/engine/build_optim.h"
#include "tests/oracle/networks.h"

namespace limber::oracle {
namespace {

// References were computed in f64 and printed with nine digits; so is everything here.
constexpr Tolerance kTight{.of_std = 1e-7, .absolute = 1e-9};

Tensor wide(const Array& a) { return to_tensor(a).to(DType::f64); }

bool close(double expected, double actual) {
  return std::abs(expected - actual) <= 1e-8 * std::abs(expected) + 1e-15;
}

// The network of optimizers.json and ema.json.
struct Tiny {
  ParameterStore store{0, false, DType::f64};
  Conv2d conv;
  BatchNorm bn;
  Linear fc;
  LayerNorm ln;

  Tiny() {
    const Scope root(store);
    conv = Conv2d(root / "conv", ConvOptions::square(2, 3, 3, 1, 1, true));
    bn = BatchNorm(root / "bn", 3);
    fc = Linear(root / "fc", 12, 2);
    ln = LayerNorm(root / "ln", 2);
    fill(store, 1);
    store.train(true);
  }

  Tensor loss(int iteration) const {
    const Tensor x = permute(wide(hashv(str("input", iteration), {4, 2, 2, 2})), {0, 2, 3, 1});
    const Tensor y = wide(hashv(str("target", iteration), {4, 2}));
    const Tensor features = permute(relu(bn(conv(x))), {0, 3, 1, 2});
    return mean(square(ln(fc(reshape(features, {4, 12}))) - y));
  }
};

Array stored_array(ParameterStore& store, const std::string& name) {
  return to_array(to_stored(store.at(name)));
}

void check_groups(const Json& expected, const Optimizer& optimizer, Case& out) {
  const auto& groups = optimizer.groups();
  out.expect(groups.size() == expected.size(), str(groups.size(), " parameter groups"));
  for (size_t g = 0; g < std::min(groups.size(), expected.size()); ++g) {
    std::vector<std::string> names;
    for (const Parameter* p : groups[g].parameters) names.push_back(p->name);
    out.expect(names == expected[g].at("params").get<std::vector<std::string>>(),
               str("group ", g, ": other parameters"));
    out.expect(close(number(expected[g].at("lr")), groups[g][Hyper::lr]),
               str("group ", g, ": lr ", groups[g][Hyper::lr]));
    out.expect(close(number(expected[g].at("weight_decay")), groups[g][Hyper::weight_decay]),
               str("group ", g, ": weight decay ", groups[g][Hyper::weight_decay]));
  }
}

void check_optimizer(const Json& json, Case& out) {
  Tiny tiny;
  BuiltOptim built = build_optim_wrapper(to_config(json.at("optim_wrapper"), "case"), tiny.store);
  check_groups(json.at("param_groups"), built.wrapper.optimizer(), out);
  const Json& losses = json.at("losses");
  built.wrapper.set_progress(0, int64_t(losses.size()));
  for (size_t it = 0; it < losses.size(); ++it) {
    Tape tape;
    const Tensor loss = tiny.loss(int(it));
    const double expected = number(losses[it]);
    out.expect(std::abs(loss.item() - expected) <= 2e-8 * std::abs(expected),
               str("loss ", it, ": ", loss.item(), ", expected ", expected));
    built.wrapper.update(tape, loss);
  }
  for (const Json& record : json.at("params_after"))
    out.compare(record, stored_array(tiny.store, record.at("name")), kTight);
}

// Scheduled learning rates, from the beginning of every iteration.
std::vector<double> rates(const Json& json) {
  ParameterStore store;
  Scope(store).parameter("weight", {1}, {});
  OptimizerOptions options;
  options.lr = number(json.at("base_lr"));
  Optimizer optimizer(options, one_group(store, options));
  const auto per_epoch = json.at("iters_per_epoch").get<int64_t>();
  const auto schedulers =
      build_schedulers(to_config(json.at("param_scheduler"), "case"), optimizer, per_epoch);
  const auto advance = [&](bool by_epoch) {
    for (const auto& s : schedulers)
      if (s->by_epoch() == by_epoch) s->step();
  };
  std::vector<double> out;
  for (int64_t epoch = 0; epoch < json.at("epochs").get<int64_t>(); ++epoch) {
    for (int64_t it = 0; it < per_epoch; ++it) {
      out.push_back(optimizer.groups()[0][Hyper::lr]);
      advance(false);
    }
    advance(true);
  }
  return out;
}

void check_rates(const Json& json, Case& out) {
  const std::vector<double> got = rates(json);
  const auto compare = [&](const char* key, size_t stride) {
    if (!json.contains(key)) return;
    const Json& expected = json.at(key);
    for (size_t i = 0; i < expected.size(); ++i) {
      const double actual = i * stride < got.size() ? got[i * stride] : -1;
      if (close(number(expected[i]), actual)) continue;
      out.expect(false, str(key, "[", i, "]: ", actual, ", expected ", number(expected[i])));
      return;
    }
  };
  out.expect(json.contains("lr") || json.contains("lr_first_50"), "no learning rates recorded");
  compare("lr", 1);
  compare("lr_first_50", 1);
  compare("lr_epoch_start", size_t(json.at("iters_per_epoch").get<int64_t>()));
}

void check_average(const Json& json, Case& out) {
  Tiny tiny;
  Json hook = json.at("args");
  hook["ema_type"] = json.at("name");
  AveragedModel average(tiny.store, read_average(to_config(hook, "case")));
  for (int it = 0; it < 4; ++it) {
    for (const Parameter& p : tiny.store.all()) {
      if (p.role != Role::parameter) continue;
      Array moved = stored_array(tiny.store, p.name);
      const Array step = hashv(str("ema", it, ".", p.name), p.stored_shape);
      std::vector<double> values = moved.values;
      for (size_t i = 0; i < values.size(); ++i) values[i] += 0.1 * step.values[i];
      load_stored(tiny.store.at(p.name), Tensor::from(values, p.stored_shape));
    }
    average.update();
  }
  average.swap();
  for (const Json& record : json.at("outputs"))
    out.compare(record, stored_array(tiny.store, record.at("name")), kTight);
}

// A store with the model's parameters, of the extents that the folder models/ lists.
void declare_model(ParameterStore& store, const std::filesystem::path& file) {
  std::ifstream in(file);
  const Json json = Json::parse(in);
  for (const Json& row : json.at("params")) {
    if (row.at(2) != "param") continue;
    const auto name = row.at(0).get<std::string>();
    const auto dims = row.at(1).get<std::vector<int64_t>>();
    const size_t dot = name.rfind('.');
    Scope(store, name.substr(0, dot))
        .parameter(name.substr(dot + 1), Shape(std::span<const int64_t>(dims)), {});
  }
}

void check_layer_decay(const File& file, const Json& json, Case& out) {
  ParameterStore store(0, false);
  const std::filesystem::path name = json.at("name").get<std::string>();
  declare_model(store, file.root / "models" / (name.stem().string() + ".json"));
  BuiltOptim built = build_optim_wrapper(to_config(json.at("optim_wrapper"), "case"), store);
  std::map<std::string, std::pair<double, double>> got;
  for (const ParamGroup& group : built.wrapper.optimizer().groups())
    for (const Parameter* p : group.parameters)
      got[p->name] = {group[Hyper::lr], group[Hyper::weight_decay]};
  const Json& rows = json.at("param_lr_wd");
  out.expect(got.size() == rows.size(), str(got.size(), " parameters, expected ", rows.size()));
  for (const Json& row : rows) {
    const auto found = got.find(row.at(0).get<std::string>());
    const bool fits = found != got.end() && close(number(row.at(1)), found->second.first) &&
                      close(number(row.at(2)), found->second.second);
    out.expect(fits,
               str(row.at(0).dump(), ": expected ", row.at(1).dump(), " and ", row.at(2).dump()));
  }
}

}  // namespace

void check_schedules(const File& file, Report& report) {
  for (const Json& json : file.json.at("cases")) {
    Case out(file.name + "/" + json.value("name", ""));
    try {
      if (file.stem == "optimizers") {
        check_optimizer(json, out);
      } else if (file.stem == "ema") {
        check_average(json, out);
      } else if (file.stem == "layer_decay") {
        check_layer_decay(file, json, out);
      } else {
        check_rates(json, out);
      }
    } catch (const std::exception& error) {
      out.expect(false, error.what());
    }
    report.add(out);
  }
}

}  // namespace limber::oracle
