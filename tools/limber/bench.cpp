// limber bench CONFIG: how long a model takes, or the making of its batches.
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
#include "data/loader.h"
#include "graph/compile.h"
#include "infer/session.h"
#include "kernels/cuda/runtime/memory_report.h"
#include "nn/flops.h"
#include "pose/engine/build_optim.h"
#include "pose/engine/model.h"
#include "pose/engine/step_capture.h"
#include "tensor/autocast.h"
#include "tensor/ops.h"
#include "tools/limber/commands.h"

namespace limber::tool {
namespace {

struct Arguments {
  ConfigArguments config;
  std::vector<int64_t> batches{1, 8};
  std::vector<int64_t> shape;
  std::string serve;
  int runs = 10;
  bool train = false, eager = false, describe = false, data = false, cuda_graph = true;
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

// One training step: forward, mean square of the outputs, backward, the config's optimiser; on a
// GPU as one CUDA graph.
class TrainingStep {
 public:
  TrainingStep(Model& model, const Config& config, DType precision, bool captures)
      : model_(model),
        precision_(precision),
        optim_(build_optim_wrapper(config.at("optim_wrapper"), *model.store)),
        capture_(
            model.device, why_not_captured(captures), [this] { optim_.wrapper.abandon(); },
            [](const std::string& line) { fmt::print("{}\n", line); }) {
    model_.store->train(true);
    for (const Parameter& p : model_.store->all())
      if (p.role == Role::parameter && p.trainable) require_grad(p.value);
  }
  ~TrainingStep() { model_.store->train(false); }
  TrainingStep(const TrainingStep&) = delete;
  TrainingStep& operator=(const TrainingStep&) = delete;

  // Returns the outputs that the loss was of. `input` is the same tensor each time.
  std::vector<Tensor> operator()(const Tensor& input) {
    const Losses outputs = capture_.run(str(input.shape()), [&, this] { return step(input); });
    capture_.wait();
    synchronise(input.device());
    std::vector<Tensor> values;
    for (const auto& [name, value] : outputs) values.push_back(value);
    return values;
  }

 private:
  std::string why_not_captured(bool wanted) const {
    if (!wanted) return "it is turned off";
    return optim_.wrapper.accumulative_counts() > 1 ? "not each step updates the weights" : "";
  }

  Losses step(const Tensor& input) {
    Tape tape;
    Tensor total;
    Losses outputs;
    {
      const Autocast autocast(precision_);
      for (const auto& [name, value] : model_.estimator->forward(input)) {
        const Tensor one = mean(square(value));
        total = total.defined() ? total + one : one;
        outputs.emplace_back(name, value);
      }
    }
    optim_.wrapper.update(tape, total);
    return outputs;
  }

  Model& model_;
  DType precision_;
  BuiltOptim optim_;
  StepCapture capture_;
};

Tensor read_input(const std::string& folder, const Shape& shape) {
  std::vector<float> numbers(size_t(shape.numel()));
  std::ifstream in(folder + "/input.raw", std::ios::binary);
  in.read(reinterpret_cast<char*>(numbers.data()), std::streamsize(numbers.size() * 4));
  check_input(bool(in), folder, "/input.raw: cannot be read, or too short for ", shape);
  return Tensor::from(numbers, shape);
}

// For bench/compare: writes the outputs of the first run as FOLDER/ours.raw and their shapes as
// FOLDER/ours.json, says "ready" and the multiply-adds of a forward pass, then answers every line
// of standard input with the milliseconds of one run.
void serve(const std::string& folder, int64_t products,
           const std::function<std::vector<Tensor>()>& one_run) {
  std::ofstream raw(folder + "/ours.raw", std::ios::binary), text(folder + "/ours.json");
  std::string shapes;
  for (const Tensor& result : one_run()) {
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
  fmt::print("ready {}\n", products);
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    const auto start = std::chrono::steady_clock::now();
    one_run();
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    fmt::print("{}\n", time.count() * 1e3);
    std::fflush(stdout);
  }
}

int64_t products_of(const Model& model, const Tensor& input) {
  FlopCounter counter;
  model.estimator->forward(input);
  return counter.products();
}

void serve_model(const Arguments& a, Model& model, const Config& config, const Shape& shape,
                 DType precision) {
  const Tensor input = read_input(a.serve, shape).to(a.config.place());
  const int64_t products = products_of(model, input);
  if (a.train) {
    TrainingStep step(model, config, precision, a.cuda_graph);
    return serve(a.serve, products, [&] { return step(input); });
  }
  PlanCache plans([&](std::span<const Tensor> in) { return model.estimator->forward(in[0]); },
                  precision);
  const Plan& plan = plans.plan(shape);
  Tensor(plan.inputs()[0]).copy_from(input);
  const kernels::Exec ex = exec_for(DType::f32);
  serve(a.serve, products, [&] {
    plan.run(ex);
    synchronise(ex.device);
    return std::vector<Tensor>(plan.outputs().begin(), plan.outputs().end());
  });
}

// How fast the threads of train_dataloader make batches, with nobody else at work: decoding,
// augmentation and targets.
void run_data(const Arguments& a) {
  const Config config = a.config.load();
  const auto loader = make_loader(config.at("train_dataloader"), 0);
  int64_t samples = 0;
  std::vector<double> rates;
  const int per_round = std::max(1, int(loader->batches()) / 4);
  for (int64_t epoch = 0; int(rates.size()) < a.runs; ++epoch) {
    loader->start(epoch);
    for (int64_t left = loader->batches(); left >= per_round && int(rates.size()) < a.runs;
         left -= per_round) {
      const auto start = std::chrono::steady_clock::now();
      for (int i = 0; i < per_round; ++i) samples += int64_t(loader->next()->size());
      rates.push_back(
          double(std::exchange(samples, 0)) /
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
  }
  std::ranges::sort(rates);
  fmt::print("{:.1f} samples/s, median of {} runs of {} batches, {} threads\n",
             rates[rates.size() / 2], rates.size(), per_round,
             config.at("train_dataloader").get<int>("num_workers", 0));
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
  if (a.data) return run_data(a);
  const Config config = a.config.load();
  Model model = build_model(config, 0);
  const Device device = a.config.place();
  model.to(device);
  const DType precision = a.config.precision();
  const auto shape = input_shape(config, a.shape);
  const auto network = [&](std::span<const Tensor> in) { return model.estimator->forward(in[0]); };
  if (!a.serve.empty()) {
    const DeviceScope scope(device);
    return serve_model(a, model, config, {a.batches[0], shape[0], shape[1], 3}, precision);
  }
  fmt::print("{}, {} threads, median of {} runs\n", str(device), threads(), a.runs);
  for (int64_t n : a.batches) {
    const Tensor input = random_input({n, shape[0], shape[1], 3}).to(device);
    const DeviceScope scope(device);
    const int64_t products = products_of(model, input);
    const double eager = median_seconds(a.runs, [&] {
      const Autocast autocast(precision);
      model.estimator->forward(input);
      synchronise(device);
    });
    print_forward(n, "eager", eager, products);
    if (!a.eager) {
      PlanCache plans(network, precision);
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
    TrainingStep step(model, config, precision, a.cuda_graph);
    for (int i = 0; device.is_cuda() && i < 3; ++i) step(input);  // these come before the capture
    const double seconds = median_seconds(a.runs, [&] { step(input); });
    fmt::print(
        "           step    {:8.2f} ms  {:8.1f} images/s  {:6.1f} GFLOP/s (forward, backward, "
        "update)\n",
        seconds * 1e3, double(n) / seconds, 6e-9 * double(products) / seconds);
  }
  if (device.is_cuda()) fmt::print("{}\n", kernels::gpu::memory_report(device.index));
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
                      "for bench/compare: run the plan, or with --train a step, on demand, on this "
                      "folder's input");
  command->add_flag("--data", a->data, "time the making of training batches instead");
  command->add_flag("--train", a->train, "time a training step too");
  command->add_flag("--cuda-graph,!--no-cuda-graph", a->cuda_graph,
                    "on a GPU, capture that step as one CUDA graph (default: on)");
  a->config.add_amp(*command, "mixed precision (on a GPU)");
  a->config.add_options(*command);
  command->callback([a] { run(*a); });
}

}  // namespace limber::tool
