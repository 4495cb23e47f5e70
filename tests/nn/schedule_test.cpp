#include "nn/optim/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

#include "nn/optim/param_groups.h"

namespace limber {
namespace {

struct Rates {
  ParameterStore store;
  OptimizerOptions options;
  Optimizer optimizer;
  explicit Rates(double lr = 1) : optimizer(make(lr)) {}
  Optimizer make(double lr) {
    Scope(store).parameter("w", {1}, {});
    options.lr = lr;
    options.momentum = 0.9;
    return Optimizer(options, one_group(store, options));
  }
  double lr() const { return optimizer.groups()[0][Hyper::lr]; }
};

TEST(Schedule, QuadraticWarmUpEndsAtTheBase) {
  Rates rates(0.5);
  Scheduler warm_up(rates.optimizer, Hyper::lr, {0, 10, false}, schedule::quadratic_warmup(10));
  for (int t = 0; t < 12; ++t) {
    const double part = std::min(t + 1, 10) / 10.0;
    EXPECT_NEAR(rates.lr(), 0.5 * part * part, 1e-12) << t;
    warm_up.step();
  }
  EXPECT_THROW(schedule::quadratic_warmup(kForever), Error);
}

// RTMO: one epoch at 2.5 times the rate is never undone; the next schedule goes on from it.
TEST(Schedule, ConstantOverOneStepStays) {
  Rates rates(1);
  Scheduler boost(rates.optimizer, Hyper::lr, {2, 3, true}, schedule::constant(2.5, 1));
  Scheduler cosine(rates.optimizer, Hyper::lr, {3, 5, true}, schedule::cosine(2, {0.5, false}));
  std::vector<double> seen;
  for (int t = 0; t < 6; ++t) {
    seen.push_back(rates.lr());
    boost.step();
    cosine.step();
  }
  const std::vector<double> expected{1, 1, 2.5, 2.5, 1.5, 1.5};
  for (size_t i = 0; i < seen.size(); ++i) EXPECT_NEAR(seen[i], expected[i], 1e-12) << i;
}

TEST(Schedule, ConstantIsUndoneAtItsEnd) {
  Rates rates(1);
  Scheduler s(rates.optimizer, Hyper::lr, {0, 3, true}, schedule::constant(0.25, 3));
  EXPECT_EQ(rates.lr(), 0.25);
  s.step();
  EXPECT_EQ(rates.lr(), 0.25);
  s.step();
  EXPECT_EQ(rates.lr(), 1);
}

TEST(Schedule, OneCycleRisesAndFalls) {
  const schedule::OneCycle options{
      .eta_max = 1, .total_steps = 10, .pct_start = 0.4, .div_factor = 10, .final_div_factor = 100};
  const Rule rule = schedule::one_cycle(options);
  EXPECT_NEAR(rule(7, 7, 0), 0.1, 1e-12);
  EXPECT_NEAR(rule(7, 7, 3), 1, 1e-12);
  EXPECT_NEAR(rule(7, 7, 9), 0.001, 1e-12);
  EXPECT_NEAR(rule(7, 7, 6), 0.5 * (1 + 0.001), 1e-12);
  EXPECT_THROW(rule(7, 7, 11), Error);
}

TEST(Schedule, MomentumIsDrivenToo) {
  Rates rates;
  Scheduler s(rates.optimizer, Hyper::momentum, {0, kForever, false}, schedule::step(2, 0.5));
  s.step();
  s.step();
  EXPECT_DOUBLE_EQ(rates.optimizer.groups()[0][Hyper::momentum], 0.45);
  EXPECT_DOUBLE_EQ(rates.lr(), 1);
}

TEST(Schedule, PlateauWaitsForPatience) {
  Rates rates;
  PlateauOptions options{.monitor = "ap", .greater = true, .factor = 0.5, .patience = 1};
  ReduceOnPlateau s(rates.optimizer, Hyper::lr, {}, options);
  const auto validate = [&](double ap) {
    s.step({{"ap", ap}});
    return rates.lr();
  };
  EXPECT_EQ(validate(0.5), 1);
  EXPECT_EQ(validate(0.6), 1);
  EXPECT_EQ(validate(0.6), 1);     // not better: first
  EXPECT_EQ(validate(0.55), 0.5);  // second
  EXPECT_EQ(validate(0.1), 0.5);
  EXPECT_THROW(s.step({{"pck", 1}}), Error);
}

TEST(Schedule, StateRoundTripContinuesIdentically) {
  const auto make = [](Rates& rates, std::vector<std::unique_ptr<Scheduler>>& out) {
    out.push_back(std::make_unique<Scheduler>(
        rates.optimizer, Hyper::lr, SchedulerSpan{0, 7, false}, schedule::linear(0.1, 1, 7)));
    out.push_back(std::make_unique<Scheduler>(rates.optimizer, Hyper::lr,
                                              SchedulerSpan{5, 20, false},
                                              schedule::cosine(15, {0.05, true})));
    out.push_back(std::make_unique<ReduceOnPlateau>(
        rates.optimizer, Hyper::lr, SchedulerSpan{},
        PlateauOptions{.monitor = "loss", .factor = 0.7, .patience = 0}));
  };
  const auto advance = [](const auto& schedulers, int t) {
    for (const auto& s : schedulers) {
      s->step();
      s->step({{"loss", std::sin(t)}});
    }
  };
  Rates straight(0.3), resumed(0.3);
  std::vector<std::unique_ptr<Scheduler>> a, b;
  make(straight, a);
  make(resumed, b);
  for (int t = 0; t < 9; ++t) advance(a, t);
  for (size_t i = 0; i < a.size(); ++i) b[i]->restore(a[i]->save());
  resumed.optimizer.groups()[0].values = straight.optimizer.groups()[0].values;
  for (int t = 9; t < 25; ++t) {
    advance(a, t);
    advance(b, t);
    ASSERT_EQ(straight.lr(), resumed.lr()) << t;
  }
  EXPECT_THROW(b[0]->restore("{}"), InputError);
  EXPECT_THROW(b[0]->restore("nonsense"), InputError);
}

}  // namespace
}  // namespace limber
