// limber bench CONFIG: how long a model takes.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <string>

#include "autograd/autograd.h"
#include "graph/compile.h"
#include "infer/session.h"
#include "nn/flops.h"
#include "pose/engine/model.h"
#include "tensor/autocast.h"
#include "tensor/ops.h"
#include "tools/limber/commands.h"

namespace limber::tool {
namespace {

struct Arguments {
  ConfigArguments config;
  std::vector<int64_t> batches{1, 8};
  std::vector<int64_t> shape;
  std::string serve, amp;
  int runs = 10;
  bool train = false, eager = false, describe = false;
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

Tensor random_input(const Shape& shape) {
  Random random(0);
  const Tensor input = Tensor::empty(shape);
  for (float& v : input.span<float>()) v = float(random.normal());
  return input;
}

void print_forward(int64_t n, const char* how, double seconds, int64_t products) {
  fmt::print("batch {:>3}  {:<8}{:8.2f} ms  {:8.1f} images/s", n, how, seconds * 1e3,
             double(n) / seconds);
  if (products > 0) fmt::print("  {:6.1f} GFLOP/s", 2e-9 * double(products) / seconds);
  fmt::print("\n");
}

// For bench/compare: reads FOLDER/input.raw (f32), writes the outputs as FOLDER/ours.raw and their
// shapes as FOLDER/ours.json, then answers every line of standard input with the milliseconds of
// one run.
void serve(const std::string& folder, const Plan& plan) {
  const kernels::Exec ex = exec_for(DType::f32);
  std::vector<float> numbers(size_t(plan.inputs()[0].numel()));
  std::ifstream in(folder + "/input.raw", std::ios::binary);
  in.read(reinterpret_cast<char*>(numbers.data()), std::streamsize(numbers.size() * 4));
  const Shape& shape = plan.inputs()[0].shape();
  check_input(bool(in), folder, "/input.raw: cannot be read, or too short for ", shape);
  Tensor(plan.inputs()[0]).copy_from(Tensor::from(numbers, shape));
  plan.run(ex);
  std::ofstream raw(folder + "/ours.raw", std::ios::binary), text(folder + "/ours.json");
  std::string shapes;
  for (const Tensor& result : plan.outputs()) {
    const Tensor output = result.to(Device{});
    raw.write(static_cast<const char*>(output.raw()), std::streamsize(output.numel() * 4));
    shapes += shapes.empty() ? "[" : ", [";
    for (int d = 0; d < output.shape().rank(); ++d)
      shapes += (d == 0 ? "" : ", ") + std::to_string(output.size(d));
    shapes += "]";
  }
  text << "{\"shapes\": [" << shapes << "]}\n";
  raw.close();
  text.close();
  fmt::print("ready\n");
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    const auto start = std::chrono::steady_clock::now();
    plan.run(ex);
    synchronise(ex.device);
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    fmt::print("{}\n", time.count() * 1e3);
    std::fflush(stdout);
  }
}

// The plans of a .limber file.
void run_file(const Arguments& a) {
  if (a.config.threads > 0) set_threads(a.config.threads);
  const auto start = std::chrono::steady_clock::now();
  Session session(a.config.file, threads());
  const std::chrono::duration<double> opened = std::chrono::steady_clock::now() - start;
  fmt::print("{}: opened in {:.1f} ms, {:.2f} MB of weights and arena, {} threads\n",
             session.model().name, opened.count() * 1e3, double(session.memory()) / 1e6, threads());
  for (int64_t n = 1; n <= session.max_batch(); ++n) {
    Plan* plan = session.plan(n);
    if (plan == nullptr) continue;
    Tensor(plan->inputs()[0]).copy_from(random_input(plan->inputs()[0].shape()));
    print_forward(n, "plan", median_seconds(a.runs, [&] { plan->run(session.exec()); }), 0);
    if (a.describe) fmt::print("{}", plan->describe(session.exec(), a.runs));
  }
}

void run(const Arguments& a) {
  if (is_model_file(a.config.file)) return run_file(a);
  const Config config = a.config.load();
  Model model = build_model(config, 0);
  const Device device = a.config.place();
  model.to(device);
  check_input(a.amp.empty() || device.is_cuda(), "--amp: mixed precision needs a GPU");
  const auto shape = input_shape(config, a.shape);
  if (!a.serve.empty()) {
    const DeviceScope scope(device);
    PlanCache plans([&](std::span<const Tensor> in) { return model.estimator->forward(in[0]); });
    return serve(a.serve, plans.plan({a.batches[0], shape[0], shape[1], 3}));
  }
  fmt::print("{}, {} threads, median of {} runs\n", str(device), threads(), a.runs);
  for (int64_t n : a.batches) {
    const Tensor input = random_input({n, shape[0], shape[1], 3}).to(device);
    const DeviceScope scope(device);
    int64_t products = 0;
    {
      FlopCounter counter;
      model.estimator->forward(input);
      products = counter.products();
    }
    const double eager = median_seconds(a.runs, [&] {
      model.estimator->forward(input);
      synchronise(device);
    });
    print_forward(n, "eager", eager, products);
    if (!a.eager) {
      PlanCache plans([&](std::span<const Tensor> in) { return model.estimator->forward(in[0]); });
      Plan& plan = plans.plan(input.shape());
      Tensor(plan.inputs()[0]).copy_from(input);
      const kernels::Exec ex = exec_for(DType::f32);
      const double planned = median_seconds(a.runs, [&] {
        plan.run(ex);
        synchronise(device);
      });
      print_forward(n, "plan", planned, products);
      if (a.describe) fmt::print("{}", plan.describe(ex, a.runs));
    }
    if (!a.train) continue;
    model.store->train(true);
    for (const Parameter& p : model.store->all())
      if (p.role == Role::parameter && p.trainable) require_grad(p.value);
    const DType low = a.amp == "f16" ? DType::f16 : a.amp == "bf16" ? DType::bf16 : DType::f32;
    const double step = median_seconds(a.runs, [&] {
      Tape tape;
      Tensor total;
      {
        const Autocast autocast(low);
        for (const auto& [name, value] : model.estimator->forward(input)) {
          const Tensor one = mean(square(value));
          total = total.defined() ? total + one : one;
        }
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
  command->add_flag("--eager", a->eager, "do not plan the network");
  command->add_flag("--describe", a->describe, "list the plan's ops with their times");
  command->add_option("--serve", a->serve,
                      "for bench/compare: run the plan on demand, on this folder's input");
  command->add_flag("--train", a->train, "time forward and backward too");
  command->add_option("--amp", a->amp, "the step in mixed precision (on a GPU)")
      ->check(CLI::IsMember({"f16", "bf16"}));
  a->config.add_options(*command);
  command->callback([a] { run(*a); });
}

}  // namespace limber::tool
