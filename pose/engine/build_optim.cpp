#include "pose/engine/build_optim.h"

#include <cmath>
#include <limits>

#include "nn/optim/param_groups.h"

namespace limber {
namespace {

// The type without the package it comes from: "mmpose.ConstantLR" is "ConstantLR".
std::string plain_type(const Config& c) {
  const auto type = c.type();
  const size_t dot = type.rfind('.');
  return dot == std::string::npos ? type : type.substr(dot + 1);
}

std::optional<double> optional_number(const Config& c, const char* key) {
  return c.has(key) ? std::optional(c.get<double>(key)) : (c.find(key), std::nullopt);
}

[[noreturn]] void unknown_type(const Config& c, const std::vector<std::string>& known) {
  fail_input(c.path(), ".type: unknown type ", c.type(), did_you_mean(c.type(), known));
}

OptimizerKind optimizer_kind(const Config& c) {
  const std::vector<std::string> names{"SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adamax"};
  const std::string type = plain_type(c);
  for (size_t i = 0; i < names.size(); ++i)
    if (type == names[i]) return OptimizerKind(i);
  unknown_type(c, names);
}

OptimizerOptions read_optimizer(const Config& c, double lr_scale) {
  using Kind = OptimizerKind;
  const Kind kind = optimizer_kind(c);
  OptimizerOptions o = OptimizerOptions::defaults(kind);
  check_input(kind != Kind::sgd || c.has("lr"), c.path(), ": SGD needs lr");
  o.lr = c.get("lr", o.lr) * lr_scale;
  // Multipliers of the decay look at what the config says, not at AdamW's default.
  if (c.has("weight_decay")) o.weight_decay = c.get<double>("weight_decay");
  if (kind != Kind::sgd) o.eps = c.get("eps", o.eps);
  if (kind == Kind::sgd || kind == Kind::rmsprop) o.momentum = c.get("momentum", o.momentum);
  if (kind == Kind::sgd) {
    o.dampening = c.get("dampening", o.dampening);
    o.nesterov = c.get("nesterov", o.nesterov);
  } else if (kind == Kind::rmsprop) {
    o.alpha = c.get("alpha", o.alpha);
    o.centered = c.get("centered", o.centered);
  } else if (kind == Kind::adagrad) {
    o.lr_decay = c.get("lr_decay", o.lr_decay);
    o.initial_accumulator = c.get("initial_accumulator_value", o.initial_accumulator);
  } else {
    const auto betas = c.get("betas", std::vector<double>{o.momentum, o.beta2});
    check_input(betas.size() == 2, c.path(), ".betas: two numbers expected");
    o.momentum = betas[0];
    o.beta2 = betas[1];
    if (kind != Kind::adamax) o.amsgrad = c.get("amsgrad", o.amsgrad);
  }
  c.expect_all_read();
  return o;
}

ParamwiseOptions read_paramwise(const Config& c, bool forced, std::vector<std::string>& notes) {
  ParamwiseOptions o{.bias_lr_mult = optional_number(c, "bias_lr_mult"),
                     .bias_decay_mult = optional_number(c, "bias_decay_mult"),
                     .norm_decay_mult = optional_number(c, "norm_decay_mult"),
                     .dwconv_decay_mult = optional_number(c, "dwconv_decay_mult"),
                     .flat_decay_mult = optional_number(c, "flat_decay_mult"),
                     .dcn_offset_lr_mult = optional_number(c, "dcn_offset_lr_mult")};
  (void)c.get("bypass_duplicate", false);  // shared tensors are always taken once
  if (forced) o.force_default_settings = c.get("force_default_settings", false);
  if (c.has("custom_keys")) {
    const Config keys = c.at("custom_keys");
    for (const std::string& key : keys.keys()) {
      const Config k = keys.at(key);
      o.custom_keys.push_back({.key = key,
                               .lr_mult = k.get("lr_mult", 1.0),
                               .decay_mult = k.get("decay_mult", 1.0),
                               .lr = optional_number(k, "lr"),
                               .weight_decay = optional_number(k, "weight_decay")});
      if (k.has("decay_multi"))
        notes.push_back(k.path() + ".decay_multi has no effect (a misspelling of decay_mult)");
      k.expect_all_read();
    }
  }
  c.expect_all_read();
  return o;
}

std::vector<ParamGroup> read_groups(const Config& c, ParameterStore& store,
                                    const OptimizerOptions& optimizer, bool own_decay,
                                    std::vector<std::string>& notes) {
  const std::vector<std::string> names{"DefaultOptimWrapperConstructor",
                                       "ForceDefaultOptimWrapperConstructor",
                                       "LayerDecayOptimWrapperConstructor"};
  const auto given = c.get<std::string>("constructor", names[0]);
  const std::string constructor = given.substr(given.rfind('.') + 1);
  check_input(constructor == names[0] || constructor == names[1] || constructor == names[2],
              c.path(), ".constructor: unknown type ", given, did_you_mean(constructor, names));
  if (!c.has("paramwise_cfg") || c.at("paramwise_cfg").keys().empty()) {
    check_input(constructor != names[2], c.path(), ": ", constructor, " needs a paramwise_cfg");
    return one_group(store, optimizer);
  }
  const Config paramwise = c.at("paramwise_cfg");
  if (constructor == names[2]) {
    if (paramwise.has("custom_keys")) {
      paramwise.at("custom_keys").ignore();
      notes.push_back(paramwise.path() + ".custom_keys has no effect with " + constructor);
    }
    const LayerDecayOptions o{paramwise.get<int>("num_layers"),
                              paramwise.get("layer_decay_rate", 0.5)};
    paramwise.expect_all_read();
    return layer_decay_groups(store, optimizer, o);
  }
  const auto o = read_paramwise(paramwise, constructor == names[1], notes);
  for (const auto& key : o.custom_keys)
    check_input(own_decay || key.decay_mult == 1, paramwise.path(), ".custom_keys.", key.key,
                ": decay_mult needs an optimizer.weight_decay");
  check_input(own_decay || !(o.bias_decay_mult || o.norm_decay_mult || o.dwconv_decay_mult ||
                             o.flat_decay_mult),
              paramwise.path(), ": multipliers of the decay need an optimizer.weight_decay");
  return paramwise_groups(store, optimizer, o);
}

ClipOptions read_clip(const Config& c) {
  ClipOptions o;
  const auto type = c.get<std::string>("type", "norm");
  if (type == "value") {
    o.by = ClipOptions::By::value;
    o.max = c.get<double>("clip_value");
  } else {
    check_input(type == "norm", c.path(), ".type: ", type, " is neither norm nor value");
    o.by = ClipOptions::By::norm;
    o.max = c.get<double>("max_norm");
    const Config order = c.find("norm_type");
    const bool infinite = order.is_string() && order.as<std::string>() == "inf";
    o.norm_type = infinite          ? std::numeric_limits<double>::infinity()
                  : order.is_null() ? 2
                                    : order.as<double>();
    (void)c.get("error_if_nonfinite", false);
  }
  c.expect_all_read();
  return o;
}

// MMEngine's AmpOptimWrapper: dtype float16 (the default) or bfloat16, loss_scale "dynamic", a
// number or a scaler's options. bf16 has f32's exponents and needs no scaler.
AmpOptions read_amp(const Config& c) {
  AmpOptions amp;
  const auto dtype = c.get<std::string>("dtype", "float16");
  check_input(dtype == "float16" || dtype == "bfloat16" || dtype == "float32", c.path(),
              ".dtype: ", dtype, " is none of float16, bfloat16, float32");
  GradScalerOptions scaler;
  const Config scale = c.find("loss_scale");
  bool enabled = true;
  if (scale.is_object()) {
    scaler.init_scale = scale.get("init_scale", scaler.init_scale);
    scaler.growth_factor = scale.get("growth_factor", scaler.growth_factor);
    scaler.backoff_factor = scale.get("backoff_factor", scaler.backoff_factor);
    scaler.growth_interval = scale.get("growth_interval", scaler.growth_interval);
    enabled = scale.get("enabled", true);
    scale.expect_all_read();
  } else if (scale.is_string()) {
    check_input(scale.as<std::string>() == "dynamic", scale.path(), ": ", scale.as<std::string>(),
                " is neither \"dynamic\" nor a number");
  } else if (!scale.is_null()) {
    scaler.fixed = scale.as<double>();
  }
  if (dtype == "float32") return amp;
  amp.dtype = dtype == "float16" ? DType::f16 : DType::bf16;
  if (amp.dtype == DType::f16 && enabled) amp.scaler = scaler;
  return amp;
}

// A scheduler's config in the making: its span and the conversion from epochs to iterations.
struct ScheduleReader {
  const Config& c;
  int64_t factor = 1;  // iterations per unit of the config's times
  SchedulerSpan span;

  ScheduleReader(const Config& config, int64_t epoch_length) : c(config) {
    span.by_epoch = c.get("by_epoch", true);
    if (c.get("convert_to_iter_based", false)) {
      check_input(span.by_epoch, c.path(), ": convert_to_iter_based needs by_epoch");
      check(epoch_length > 0, c.path(), ": convert_to_iter_based needs the length of an epoch");
      factor = epoch_length;
      span.by_epoch = false;
    }
    span.begin = int64_t(c.get("begin", 0.0) * double(factor));
    const double end = c.get("end", double(kForever));
    span.end = end >= double(kForever) ? kForever : int64_t(end * double(factor));
    check_input(span.begin < span.end, c.path(), ": begin ", span.begin, " must be below end ",
                span.end);
    (void)c.get("verbose", false);
    const auto last = c.get<int64_t>("last_step", -1);
    check_input(last == -1, c.path(), ".last_step: schedulers start at the beginning, with -1");
  }

  int64_t steps() const { return span.end - span.begin; }
  int64_t time(const char* key) const { return c.get<int64_t>(key) * factor; }
  std::vector<int64_t> times(const char* key) const {
    auto values = c.get<std::vector<int64_t>>(key);
    for (int64_t& v : values) v *= factor;
    return values;
  }
  Floor floor() const {
    const bool ratio = c.has("eta_min_ratio");
    check_input(ratio != c.has("eta_min"), c.path(),
                ": exactly one of eta_min and eta_min_ratio must be given");
    return {c.get<double>(ratio ? "eta_min_ratio" : "eta_min"), ratio};
  }
};

// Which value the type's suffix says it drives; cuts the suffix off.
Hyper take_suffix(std::string& type, const Config& c) {
  const auto cut = [&](std::string_view suffix) {
    if (!type.ends_with(suffix)) return false;
    type.resize(type.size() - suffix.size());
    return true;
  };
  if (cut("LR")) return Hyper::lr;
  if (cut("Momentum")) return Hyper::momentum;
  if (cut("ParamScheduler")) {
    const auto name = c.get<std::string>("param_name");
    if (name == "lr") return Hyper::lr;
    if (name == "momentum") return Hyper::momentum;
    check_input(name == "weight_decay", c.path(), ".param_name: ", name,
                " is none of lr, momentum, weight_decay");
    return Hyper::weight_decay;
  }
  return Hyper::lr;
}

PlateauOptions read_plateau(const Config& c) {
  PlateauOptions o;
  o.monitor = c.get("monitor", o.monitor);
  const auto rule = c.get<std::string>("rule", "less");
  const auto threshold_rule = c.get<std::string>("threshold_rule", "rel");
  check_input(rule == "less" || rule == "greater", c.path(), ".rule: ", rule,
              " is neither less nor greater");
  check_input(threshold_rule == "rel" || threshold_rule == "abs", c.path(),
              ".threshold_rule: ", threshold_rule, " is neither rel nor abs");
  o.greater = rule == "greater";
  o.relative = threshold_rule == "rel";
  o.factor = c.get("factor", o.factor);
  o.patience = c.get("patience", o.patience);
  o.cooldown = c.get("cooldown", o.cooldown);
  o.threshold = c.get("threshold", o.threshold);
  o.min_value = c.get("min_value", o.min_value);
  o.eps = c.get("eps", o.eps);
  return o;
}

Rule read_one_cycle(const ScheduleReader& r) {
  const Config& c = r.c;
  schedule::OneCycle o;
  o.eta_max = c.get<double>("eta_max");
  o.total_steps = r.time("total_steps");
  o.pct_start = c.get("pct_start", o.pct_start);
  o.div_factor = c.get("div_factor", o.div_factor);
  o.final_div_factor = c.get("final_div_factor", o.final_div_factor);
  o.three_phase = c.get("three_phase", o.three_phase);
  const auto strategy = c.get<std::string>("anneal_strategy", "cos");
  check_input(strategy == "cos" || strategy == "linear", c.path(), ".anneal_strategy: ", strategy,
              " is neither cos nor linear");
  o.linear = strategy == "linear";
  return schedule::one_cycle(o);
}

const std::vector<std::string> kSchedules{
    "Linear",        "Constant",        "MultiStep",      "Step",
    "Exponential",   "CosineAnnealing", "Poly",           "OneCycle",
    "CosineRestart", "QuadraticWarmup", "ReduceOnPlateau"};

Rule read_rule(const std::string& type, const ScheduleReader& r) {
  const Config& c = r.c;
  if (type == "Linear")
    return schedule::linear(c.get("start_factor", 1.0 / 3), c.get("end_factor", 1.0), r.steps());
  if (type == "Constant") return schedule::constant(c.get("factor", 1.0 / 3), r.steps());
  if (type == "MultiStep") return schedule::multi_step(r.times("milestones"), c.get("gamma", 0.1));
  if (type == "Step") return schedule::step(r.time("step_size"), c.get("gamma", 0.1));
  if (type == "Exponential") return schedule::exponential(c.get<double>("gamma"));
  if (type == "CosineAnnealing")
    return schedule::cosine(c.has("T_max") ? r.time("T_max") : r.steps(), r.floor());
  if (type == "Poly") return schedule::poly(c.get("power", 1.0), c.get("eta_min", 0.0), r.steps());
  if (type == "OneCycle") return read_one_cycle(r);
  if (type == "CosineRestart")
    return schedule::cosine_restart(r.times("periods"),
                                    c.get("restart_weights", std::vector<double>{1}), r.floor());
  if (type == "QuadraticWarmup") return schedule::quadratic_warmup(r.steps());
  std::vector<std::string> names;
  for (const std::string& name : kSchedules) names.push_back(name + "LR");
  unknown_type(c, names);
}

std::unique_ptr<Scheduler> build_scheduler(const Config& c, Optimizer& optimizer,
                                           int64_t epoch_length) {
  std::string type = plain_type(c);
  const Hyper hyper = take_suffix(type, c);
  const ScheduleReader reader(c, epoch_length);
  std::unique_ptr<Scheduler> made;
  if (type == "ReduceOnPlateau") {
    made = std::make_unique<ReduceOnPlateau>(optimizer, hyper, reader.span, read_plateau(c));
  } else {
    made = std::make_unique<Scheduler>(optimizer, hyper, reader.span, read_rule(type, reader));
  }
  c.expect_all_read();
  return made;
}

}  // namespace

BuiltOptim build_optim_wrapper(const Config& c, ParameterStore& store, double lr_scale) {
  std::vector<std::string> notes;
  const std::vector<std::string> types{"OptimWrapper", "AmpOptimWrapper"};
  const std::string type = c.has("type") ? plain_type(c) : types[0];
  if (type != types[0] && type != types[1]) unknown_type(c, types);
  AmpOptions amp;
  if (type == types[1]) {
    amp = read_amp(c);
    if (!store.all().front().value.device().is_cuda()) {
      amp = {};
      notes.push_back(c.path() + ": AmpOptimWrapper trains in f32 on the CPU, without loss scale");
    }
  }
  const Config optimizer_config = c.at("optimizer");
  const bool own_decay = optimizer_config.has("weight_decay");
  const OptimizerOptions options = read_optimizer(optimizer_config, lr_scale);
  auto groups = read_groups(c, store, options, own_decay, notes);
  ClipOptions clip;
  if (c.has("clip_grad")) clip = read_clip(c.at("clip_grad"));
  const int counts = c.get("accumulative_counts", 1);
  c.expect_all_read();
  return {OptimWrapper(Optimizer(options, std::move(groups)), counts, clip, amp), std::move(notes)};
}

std::vector<std::unique_ptr<Scheduler>> build_schedulers(const Config& config, Optimizer& optimizer,
                                                         int64_t epoch_length) {
  std::vector<std::unique_ptr<Scheduler>> made;
  if (config.is_null()) return made;
  if (!config.is_list()) {
    made.push_back(build_scheduler(config, optimizer, epoch_length));
    return made;
  }
  for (size_t i = 0; i < config.size(); ++i)
    made.push_back(build_scheduler(config.at(i), optimizer, epoch_length));
  return made;
}

AverageOptions read_average(const Config& hook) {
  using Kind = AverageOptions::Kind;
  const std::vector<std::string> names{"ExponentialMovingAverage", "ExpMomentumEMA",
                                       "MomentumAnnealingEMA", "StochasticWeightAverage"};
  const auto given = hook.get<std::string>("ema_type", names[0]);
  const std::string type = given.substr(given.rfind('.') + 1);
  AverageOptions o;
  size_t kind = 0;
  while (kind < names.size() && names[kind] != type) ++kind;
  check_input(kind < names.size(), hook.path(), ".ema_type: unknown type ", given,
              did_you_mean(type, names));
  o.kind = Kind(kind);
  if (o.kind != Kind::stochastic) o.momentum = hook.get("momentum", o.momentum);
  if (o.kind == Kind::exp_momentum) o.gamma = hook.get("gamma", 2000.0);
  if (o.kind == Kind::annealing) o.gamma = hook.get("gamma", 100.0);
  o.interval = hook.get<int64_t>("interval", 1);
  o.update_buffers = hook.get("update_buffers", false);
  return o;
}

}  // namespace limber
