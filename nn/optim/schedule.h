// Learning rates over time, as MMEngine has them: each scheduler changes the value that a group
// has at the moment, so several of them multiply.
//
// A scheduler counts its own steps while its global step, which advances by one per step(), lies
// in [begin, end); making it takes step 0. The trainer calls step() after every iteration or
// epoch, as by_epoch says.
#pragma once

#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "nn/optim/optimizer.h"

namespace limber {

// The value of a group at a scheduler's step t = 0, 1, ..., from the value it has and the one it
// had before any scheduler.
using Rule = std::function<double(double value, double base, int64_t t)>;

// The end of what never ends.
constexpr int64_t kForever = 1000000000;

// The smallest value a cosine falls to: a number, or a fraction of the base value.
struct Floor {
  double value = 0;
  bool is_ratio = false;
  double of(double base) const { return is_ratio ? base * value : value; }
};

namespace schedule {

// `steps` is end - begin of the scheduler.
Rule linear(double start_factor, double end_factor, int64_t steps);     // factors in [0, 1]
Rule constant(double factor, int64_t steps);                            // factor undone at the end
Rule multi_step(const std::vector<int64_t>& milestones, double gamma);  // repeats count
Rule step(int64_t size, double gamma);
Rule exponential(double gamma);
Rule cosine(int64_t t_max, Floor floor);
Rule poly(double power, double eta_min, int64_t steps);
// Loshchilov and Hutter 2017, arXiv 1608.03983: a cosine per period, starting from base * weight.
Rule cosine_restart(const std::vector<int64_t>& periods, const std::vector<double>& weights,
                    Floor floor);
Rule quadratic_warmup(int64_t steps);  // MMDetection's: base ((t + 1) / steps)^2

// Smith and Topin 2017, arXiv 1708.07120.
struct OneCycle {
  double eta_max = 0;
  int64_t total_steps = 0;
  double pct_start = 0.3, div_factor = 25, final_div_factor = 1e4;
  bool linear = false;  // else cosine
  bool three_phase = false;
};
Rule one_cycle(const OneCycle& options);

}  // namespace schedule

struct SchedulerSpan {
  int64_t begin = 0, end = kForever;
  bool by_epoch = true;
};

class Scheduler {
 public:
  // Changes `hyper` of all groups of `optimizer`, which outlives it.
  Scheduler(Optimizer& optimizer, Hyper hyper, SchedulerSpan span, Rule rule);
  virtual ~Scheduler() = default;
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  virtual void step();
  // What validation gave; only ReduceOnPlateau listens.
  virtual void step(const std::map<std::string, double>&) {}
  bool by_epoch() const { return span_.by_epoch; }

  // Everything that step() depends on, as JSON. The groups' values are not part of it.
  virtual std::string save() const;
  virtual void restore(const std::string& state);

 protected:
  Scheduler(Optimizer& optimizer, Hyper hyper, SchedulerSpan span);
  bool acts() const { return span_.begin <= global_step_ && global_step_ < span_.end; }

  Optimizer& optimizer_;
  Hyper hyper_;
  SchedulerSpan span_;
  Rule rule_;
  std::vector<double> base_;  // per group
  int64_t global_step_ = 0, last_step_ = -1;
};

struct PlateauOptions {
  std::string monitor = "val_loss";
  bool greater = false;  // is better
  double factor = 0.1;
  int64_t patience = 10, cooldown = 0;
  double threshold = 1e-4;
  bool relative = true;  // the threshold
  double min_value = 0, eps = 1e-8;
};

// Multiplies by `factor` once a metric of the validation has stopped improving for more than
// `patience` validations.
class ReduceOnPlateau : public Scheduler {
 public:
  ReduceOnPlateau(Optimizer& optimizer, Hyper hyper, SchedulerSpan span,
                  const PlateauOptions& options);
  void step() override;
  void step(const std::map<std::string, double>& metrics) override;  // throws without the metric
  std::string save() const override;
  void restore(const std::string& state) override;

 private:
  bool better(double metric) const;
  PlateauOptions options_;
  double best_;
  int64_t bad_ = 0, cooling_ = 0;
};

}  // namespace limber
