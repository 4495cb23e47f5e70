#include "nn/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace limber {
namespace {

using Json = nlohmann::json;

Json parse(const std::string& text) {
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    fail_input("scheduler state: ", error.what());
  }
}

template <class T>
T get(const Json& state, const char* key) {
  try {
    return state.at(key).get<T>();
  } catch (const Json::exception&) {
    fail_input("scheduler state: ", key, " is missing or of the wrong type");
  }
}

}  // namespace

Scheduler::Scheduler(Optimizer& optimizer, Hyper hyper, SchedulerSpan span)
    : optimizer_(optimizer), hyper_(hyper), span_(span) {
  check(span.begin < span.end, "scheduler: begin ", span.begin, " must be below end ", span.end);
  check(hyper != Hyper::momentum || optimizer.options().momentum != 0,
        "scheduler: the optimiser has no momentum to schedule");
  for (ParamGroup& group : optimizer_.groups()) {
    auto& initial = group.initial[size_t(hyper)];
    if (!initial) initial = group[hyper];
    base_.push_back(*initial);
  }
}

Scheduler::Scheduler(Optimizer& optimizer, Hyper hyper, SchedulerSpan span, Rule rule)
    : Scheduler(optimizer, hyper, span) {
  rule_ = std::move(rule);
  Scheduler::step();
}

void Scheduler::step() {
  if (acts()) {
    ++last_step_;
    for (size_t g = 0; g < base_.size(); ++g) {
      double& value = optimizer_.groups()[g][hyper_];
      value = rule_(value, base_[g], last_step_);
    }
  }
  ++global_step_;
}

std::string Scheduler::save() const {
  return Json{{"global_step", global_step_}, {"last_step", last_step_}, {"base", base_}}.dump();
}

void Scheduler::restore(const std::string& text) {
  const Json state = parse(text);
  auto base = get<std::vector<double>>(state, "base");
  check_input(base.size() == base_.size(), "scheduler state: ", base.size(),
              " parameter groups, the optimiser has ", base_.size());
  base_ = std::move(base);
  global_step_ = get<int64_t>(state, "global_step");
  last_step_ = get<int64_t>(state, "last_step");
}

ReduceOnPlateau::ReduceOnPlateau(Optimizer& optimizer, Hyper hyper, SchedulerSpan span,
                                 const PlateauOptions& options)
    : Scheduler(optimizer, hyper, span), options_(options) {
  check(span.by_epoch, "ReduceOnPlateauLR: works by epochs only");
  check(options.factor < 1, "ReduceOnPlateauLR: factor ", options.factor, " must be below 1");
  best_ = std::numeric_limits<double>::infinity() * (options.greater ? -1 : 1);
}

bool ReduceOnPlateau::better(double metric) const {
  const double t = options_.threshold;
  if (options_.greater) return metric > (options_.relative ? best_ * (1 + t) : best_ + t);
  return metric < (options_.relative ? best_ * (1 - t) : best_ - t);
}

void ReduceOnPlateau::step() { ++global_step_; }

// MMEngine counts epochs by step() alone; a step with metrics looks at where that has got to.
void ReduceOnPlateau::step(const std::map<std::string, double>& metrics) {
  if (!acts()) return;
  const auto found = metrics.find(options_.monitor);
  check(found != metrics.end(), "ReduceOnPlateauLR: the validation gave no ", options_.monitor);
  ++last_step_;
  if (better(found->second)) {
    best_ = found->second;
    bad_ = 0;
  } else {
    ++bad_;
  }
  if (cooling_ > 0) {
    --cooling_;
    bad_ = 0;
  }
  if (bad_ <= options_.patience) return;
  for (ParamGroup& group : optimizer_.groups()) {
    const double lower = std::max(group[hyper_] * options_.factor, options_.min_value);
    if (group[hyper_] - lower > options_.eps) group[hyper_] = lower;
  }
  cooling_ = options_.cooldown;
  bad_ = 0;
}

std::string ReduceOnPlateau::save() const {
  Json state = Json::parse(Scheduler::save());
  state["best"] = std::isinf(best_) ? Json() : Json(best_);  // JSON knows no infinity
  state["bad"] = bad_;
  state["cooling"] = cooling_;
  return state.dump();
}

void ReduceOnPlateau::restore(const std::string& text) {
  Scheduler::restore(text);
  const Json state = parse(text);
  bad_ = get<int64_t>(state, "bad");
  cooling_ = get<int64_t>(state, "cooling");
  if (state.contains("best") && !state["best"].is_null()) best_ = get<double>(state, "best");
}

}  // namespace limber
