// The rules of the schedulers. They are recursive where MMEngine's are: the value at step t comes
// from the value at t - 1, whoever else has changed that meanwhile.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "nn/optim/schedule.h"

namespace limber::schedule {
namespace {

constexpr double kPi = std::numbers::pi;

// One step down a half cosine of length `period`, towards `floor`.
double cosine_step(double value, double floor, int64_t t, int64_t period) {
  const double now = 1 + std::cos(kPi * double(t) / double(period));
  const double before = 1 + std::cos(kPi * double(t - 1) / double(period));
  return now / before * (value - floor) + floor;
}

}  // namespace

Rule linear(double start, double end, int64_t steps) {
  check(start >= 0 && start <= 1 && end >= 0 && end <= 1, "LinearLR: start_factor ", start,
        " and end_factor ", end, " must be in [0, 1]");
  const double total = double(steps - 1), rise = end - start;
  return [=](double value, double, int64_t t) {
    if (t == 0) return value * start;
    return value * (1 + rise / (total * start + double(t - 1) * rise));
  };
}

Rule constant(double factor, int64_t steps) {
  check(factor >= 0, "ConstantLR: factor ", factor, " must not be negative");
  return [=](double value, double, int64_t t) {
    if (t == 0) return value * factor;
    return t == steps - 1 ? value * (1 / factor) : value;
  };
}

Rule multi_step(const std::vector<int64_t>& milestones, double gamma) {
  return [=](double value, double, int64_t t) {
    const auto count = std::ranges::count(milestones, t);
    return count == 0 ? value : value * std::pow(gamma, double(count));
  };
}

Rule step(int64_t size, double gamma) {
  check(size > 0, "StepLR: step_size must be positive, not ", size);
  return [=](double value, double, int64_t t) {
    return t == 0 || t % size != 0 ? value : value * gamma;
  };
}

Rule exponential(double gamma) {
  return [=](double value, double, int64_t t) { return t == 0 ? value : value * gamma; };
}

Rule cosine(int64_t t_max, Floor floor) {
  check(t_max > 0, "CosineAnnealingLR: T_max must be positive, not ", t_max);
  return [=](double value, double base, int64_t t) {
    if (t == 0) return value;
    const double low = floor.of(base);
    // At the bottom the quotient of two steps is 0 / 0: the step out of it is added instead.
    if ((t - 1 - t_max) % (2 * t_max) == 0)
      return value + (base - low) * (1 - std::cos(kPi / double(t_max))) / 2;
    return cosine_step(value, low, t, t_max);
  };
}

Rule poly(double power, double eta_min, int64_t steps) {
  return [=](double value, double, int64_t t) {
    if (t == 0) return value;
    return (value - eta_min) * std::pow(1 - 1 / double(steps - t), power) + eta_min;
  };
}

Rule cosine_restart(const std::vector<int64_t>& periods, const std::vector<double>& weights,
                    Floor floor) {
  check(!periods.empty() && periods.size() == weights.size(), "CosineRestartLR: ", periods.size(),
        " periods and ", weights.size(), " restart_weights");
  check(std::ranges::all_of(periods, [](int64_t p) { return p > 0; }),
        "CosineRestartLR: periods must be positive");
  return [=](double value, double base, int64_t t) {
    size_t k = 0;
    for (; k < periods.size() && t >= periods[k]; ++k) t -= periods[k];
    if (k == periods.size()) return value;
    return t == 0 ? base * weights[k] : cosine_step(value, floor.of(base), t, periods[k]);
  };
}

Rule quadratic_warmup(int64_t steps) {
  check(steps < kForever, "QuadraticWarmupLR: end must be given");
  const double square = double(steps) * double(steps);
  return [=](double value, double base, int64_t t) {
    const double rise = base * double(2 * t + 1) / square;
    return t == 0 ? rise : value + rise;
  };
}

Rule one_cycle(const OneCycle& o) {
  check(o.total_steps > 0, "OneCycleLR: total_steps must be positive, not ", o.total_steps);
  check(o.pct_start >= 0 && o.pct_start <= 1, "OneCycleLR: pct_start ", o.pct_start,
        " must be in [0, 1]");
  struct Phase {
    double last, from, to;
  };
  const double low = o.eta_max / o.div_factor, bottom = low / o.final_div_factor;
  const double total = double(o.total_steps), rise = o.pct_start * total;
  std::vector<Phase> phases{{rise - 1, low, o.eta_max}};
  if (o.three_phase) {
    phases.push_back({2 * rise - 2, o.eta_max, low});
    phases.push_back({total - 1, low, bottom});
  } else {
    phases.push_back({total - 1, o.eta_max, bottom});
  }
  return [o, phases](double, double, int64_t t) {
    check(t <= o.total_steps, "OneCycleLR: step ", t, " of ", o.total_steps);
    double first = 0;
    size_t k = 0;
    for (; k + 1 < phases.size() && double(t) > phases[k].last; ++k) first = phases[k].last;
    const Phase& p = phases[k];
    const double part = (double(t) - first) / (p.last - first);
    if (o.linear) return (p.to - p.from) * part + p.from;
    return p.to + (p.from - p.to) / 2 * (1 + std::cos(kPi * part));
  };
}

}  // namespace limber::schedule
