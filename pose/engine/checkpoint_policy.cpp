#include "pose/engine/checkpoint_policy.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "tensor/error.h"

namespace limber {
namespace {

std::vector<std::string> strings(const Config& value) {
  if (value.is_null()) return {};
  if (value.is_string()) return {value.as<std::string>()};
  return value.as<std::vector<std::string>>();
}

bool read_rule(const std::string& rule, const Config& hook) {
  check_input(rule == "greater" || rule == "less", hook.path(),
              ".rule: \"greater\" or \"less\", not \"", rule, "\"");
  return rule == "greater";
}

}  // namespace

std::optional<bool> greater_is_better(const std::string& metric) {
  constexpr std::array<const char*, 12> greater{"acc", "top", "AR",  "auc",  "AUC",   "precision",
                                                "mAP", "AP",  "PCK", "mIoU", "mDice", "Acc"};
  constexpr std::array<const char*, 5> less{"loss", "NME", "EPE", "MPJPE", "MRRPE"};
  const auto named = [&](const char* word) { return metric.find(word) != std::string::npos; };
  if (std::ranges::any_of(less, named)) return false;
  if (std::ranges::any_of(greater, named)) return true;
  return std::nullopt;
}

CheckpointOptions read_checkpoint_options(const Config& hook) {
  CheckpointOptions o;
  if (hook.is_null()) return o;
  hook.find("type");
  o.interval = hook.get<int64_t>("interval", -1);
  o.by_epoch = hook.get("by_epoch", true);
  o.max_keep = hook.get("max_keep_ckpts", -1);
  o.save_last = hook.get("save_last", true);
  o.save_begin = hook.get<int64_t>("save_begin", 0);
  o.out_dir = hook.get<std::string>("out_dir", "");
  o.save_best = strings(hook.find("save_best"));
  const std::vector<std::string> rules = strings(hook.find("rule"));
  check_input(rules.size() <= 1 || rules.size() == o.save_best.size(), hook.path(), ": ",
              rules.size(), " rules for ", o.save_best.size(), " metrics of save_best");
  for (size_t i = 0; i < o.save_best.size(); ++i) {
    if (!rules.empty()) {
      o.greater.push_back(read_rule(rules[rules.size() == 1 ? 0 : i], hook));
      continue;
    }
    const auto known = greater_is_better(o.save_best[i]);
    check_input(known.has_value() || o.save_best[i] == "auto", hook.path(),
                ".rule: say whether \"greater\" or \"less\" of \"", o.save_best[i], "\" is better");
    o.greater.push_back(known.value_or(true));
  }
  // Accepted without effect: the optimiser is always saved, files have one naming scheme.
  for (const char* key : {"save_optimizer", "save_param_scheduler", "published_keys",
                          "filename_tmpl", "greater_keys", "less_keys", "backend_args", "priority"})
    hook.find(key).ignore();
  hook.expect_all_read();
  return o;
}

bool CheckpointPolicy::due(int64_t count) const {
  if (count == last_ && o_.save_last) return true;
  return o_.interval > 0 && count >= o_.save_begin && (count - o_.save_begin) % o_.interval == 0;
}

std::vector<std::string> CheckpointPolicy::wrote(const std::string& path) {
  if (std::ranges::find(kept_, path) == kept_.end()) kept_.push_back(path);
  std::vector<std::string> superfluous;
  while (o_.max_keep > 0 && int(kept_.size()) > o_.max_keep) {
    superfluous.push_back(kept_.front());
    kept_.erase(kept_.begin());
  }
  return superfluous;
}

std::vector<std::pair<std::string, std::string>> CheckpointPolicy::improved(
    const std::vector<std::pair<std::string, double>>& metrics) {
  std::vector<std::pair<std::string, std::string>> better;
  for (size_t i = 0; i < o_.save_best.size(); ++i) {
    const auto found = std::ranges::find_if(metrics, [&](const auto& m) {
      return o_.save_best[i] == "auto" || m.first == o_.save_best[i];
    });
    if (found == metrics.end()) {
      std::string known;
      for (const auto& [name, value] : metrics) known += (known.empty() ? "" : ", ") + name;
      fail_input("default_hooks.checkpoint.save_best: no metric \"", o_.save_best[i],
                 "\"; validation gives ", known.empty() ? "none" : known);
    }
    const auto& [name, value] = *found;
    const bool greater =
        o_.save_best[i] == "auto" ? greater_is_better(name).value_or(true) : o_.greater[i];
    const auto before = best_.find(name);
    if (std::isnan(value)) continue;
    if (before != best_.end() && (greater ? value <= before->second : value >= before->second))
      continue;
    best_[name] = value;
    better.emplace_back(name, best_path_[name]);
  }
  return better;
}

void CheckpointPolicy::restore(std::vector<std::string> kept, std::map<std::string, double> best,
                               std::map<std::string, std::string> best_paths) {
  kept_ = std::move(kept);
  best_ = std::move(best);
  best_path_ = std::move(best_paths);
}

}  // namespace limber
