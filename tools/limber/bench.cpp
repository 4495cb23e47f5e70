// limber bench CONFIG: how long a model takes.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>

#include "autograd/autograd.h"
#include "nn/flops.h"
#include "pose/engine/model.h"
#include "tensor/ops.h"
#include "tools/limber/commands.h"

namespace limber::tool {
namespace {

struct Arguments {
  ConfigArguments config;
  std::vector<int64_t> batches{1, 8};
  std::vector<int64_t> shape;
  int runs = 10;
  bool train = false;
};

double median_seconds(int runs, const std::function<void()>& body) {
  body();
  std::vector<double> times;
  for (int i = 0; i < runs; ++i) {
    const auto start = std::chrono::steady_clock::now();
    body();
    times.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::ranges::sort(times);
  return times[times.size() / 2];
}

void run(const Arguments& a) {
  const Config config = a.config.load();
  Model model = build_model(config, 0);
  const Device device = a.config.place();
  model.to(device);
  const auto shape = input_shape(config, a.shape);
  fmt::print("{}, {} threads, median of {} runs\n", str(device), threads(), a.runs);
  Random random(0);
  for (int64_t n : a.batches) {
    Tensor input = Tensor::empty({n, shape[0], shape[1], 3});
    for (float& v : input.span<float>()) v = float(random.normal());
    input = input.to(device);
    const DeviceScope scope(device);
    int64_t products = 0;
    {
      FlopCounter counter;
      model.estimator->forward(input);
      products = counter.products();
    }
    const double forward = median_seconds(a.runs, [&] {
      model.estimator->forward(input);
      synchronise(device);
    });
    fmt::print("batch {:>3}  forward {:8.2f} ms  {:8.1f} images/s  {:6.1f} GFLOP/s\n", n,
               forward * 1e3, double(n) / forward, 2e-9 * double(products) / forward);
    if (!a.train) continue;
    model.store->train(true);
    for (const Parameter& p : model.store->all())
      if (p.role == Role::parameter && p.trainable) require_grad(p.value);
    const double step = median_seconds(a.runs, [&] {
      Tape tape;
      Tensor total;
      for (const auto& [name, value] : model.estimator->forward(input)) {
        const Tensor one = mean(square(value));
        total = total.defined() ? total + one : one;
      }
      tape.backward(total);
      synchronise(device);
    });
    model.store->train(false);
    fmt::print(
        "           step    {:8.2f} ms  {:8.1f} images/s  {:6.1f} GFLOP/s (forward and backward)\n",
        step * 1e3, double(n) / step, 6e-9 * double(products) / step);
  }
}

}  // namespace

void add_bench(CLI::App& app) {
  CLI::App* command = app.add_subcommand("bench", "time a model's forward pass and training step");
  const auto a = std::make_shared<Arguments>();
  a->config.add_file(*command);
  command->add_option("--batch", a->batches, "batch sizes")->check(CLI::PositiveNumber);
  command->add_option("--shape", a->shape, "rows and columns of the input")
      ->expected(1, 2)
      ->check(CLI::PositiveNumber);
  command->add_option("--runs", a->runs, "timed runs")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_flag("--train", a->train, "time forward and backward too");
  a->config.add_options(*command);
  command->callback([a] { run(*a); });
}

}  // namespace limber::tool
