#include "pose/engine/trainer.h"

#include <fmt/format.h>

#include <algorithm>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>

#include "kernels/cuda/runtime/memory_report.h"
#include "nn/optim/training_file.h"
#include "tensor/autocast.h"
#include "tensor/ops.h"
#include "tensor/write_file.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

uint64_t choose_seed(const Config& config, const std::optional<uint64_t>& given) {
  const Config randomness = config.find("randomness");
  for (const char* key : {"deterministic", "diff_rank_seed"}) randomness.find(key);
  const Config seed = randomness.find("seed");
  if (given) return *given;
  if (!seed.is_null()) return uint64_t(seed.as<int64_t>());
  return std::random_device{}();
}

// The sum of everything named a loss.
Tensor total_of(const Losses& losses) {
  Tensor total;
  for (const auto& [name, value] : losses) {
    if (name.find("loss") == std::string::npos) continue;
    const Tensor one = value.rank() == 0 ? value : mean(value);
    total = total.defined() ? total + one : one;
  }
  check(total.defined(), "the head gives no loss");
  return total;
}

// The path that the file last_checkpoint of a work dir names.
std::string last_checkpoint(const std::string& work_dir) {
  const std::string file = work_dir + "/last_checkpoint";
  std::ifstream in(file);
  std::string path;
  check_input(bool(std::getline(in, path)) && !path.empty(), file,
              ": not there or empty, so there is nothing to resume");
  return path;
}

}  // namespace

Trainer::Trainer(const Config& config, const TrainerOptions& options) : config_(config) {
  work_dir_ = !options.work_dir.empty()
                  ? options.work_dir
                  : config_.get<std::string>("work_dir", "work_dirs/" + options.config_name);
  log_ = std::make_unique<RunLog>(work_dir_);
  seed_ = choose_seed(config_, options.seed);
  op_random() = Random(mix_seed(seed_, "ops"));
  write_file_atomically(work_dir_ + "/" + options.config_name + ".json", config_.dump() + "\n");
  write_file_atomically(log_->folder() + "/vis_data/config.json", config_.dump() + "\n");
  model_ = build_model(config_, seed_);
  model_.to(options.device);
  state_.model = &model_;
  state_.log = log_.get();
  batch_size_ = config_.at("train_dataloader").get<int64_t>("batch_size", 1);
  train_loader_ = make_loader(config_.at("train_dataloader"), seed_);
  check_input(train_loader_->batches() > 0, "train_dataloader: no batch of training data");
  read_length();
  make_optimiser(options.amp, options.auto_scale_lr);
  hooks_ = make_hooks(config_.find("custom_hooks"), model_);
  make_capture(options.cuda_graph);
  if (model_.device.is_cuda()) staging_.emplace(model_.device);
  const Config defaults = config_.find("default_hooks");
  log_interval_ = std::max<int64_t>(1, defaults.find("logger").get<int64_t>("interval", 50));
  policy_.emplace(read_checkpoint_options(defaults.find("checkpoint")), length_.max);
  if (options.validate && config_.has("val_dataloader")) {
    val_loader_ = make_loader(config_.at("val_dataloader"), seed_);
    evaluator_.emplace(config_.at("val_evaluator"), val_loader_->dataset().metainfo(),
                       metainfo_of_dataset);
  }
  start_from(options);
}

void Trainer::read_length() {
  const Config c = config_.at("train_cfg");
  c.find("type");
  length_.by_epoch = c.get("by_epoch", !c.has("max_iters"));
  length_.max = c.get<int64_t>(length_.by_epoch ? "max_epochs" : "max_iters");
  check_input(length_.max >= 1, c.path(), ": a run of ", length_.max, " is none");
  length_.val_begin = c.get<int64_t>("val_begin", 1);
  length_.val_interval = c.get<int64_t>("val_interval", length_.by_epoch ? 1 : 1000);
  const Config dynamic = c.find("dynamic_intervals");
  for (size_t i = 0; i < (dynamic.is_null() ? 0 : dynamic.size()); ++i)
    length_.dynamic_intervals.emplace_back(dynamic.at(i).at(0).as<int64_t>(),
                                           dynamic.at(i).at(1).as<int64_t>());
  c.expect_all_read();
  state_.max_epochs =
      length_.by_epoch ? length_.max : (length_.max + epoch_length() - 1) / epoch_length();
  state_.max_iterations = length_.by_epoch ? length_.max * epoch_length() : length_.max;
}

bool Trainer::Length::validates_after(int64_t count) const {
  int64_t interval = val_interval;
  for (const auto& [from, value] : dynamic_intervals)
    if (count >= from) interval = value;
  return count == max || (count >= val_begin && interval > 0 && count % interval == 0);
}

void Trainer::make_optimiser(bool amp, bool auto_scale_lr) {
  Config wrapper = config_.at("optim_wrapper");
  if (amp) {
    check_input(
        model_.device.is_cuda(),
        "--amp: mixed precision needs a GPU (--device cuda:0), as the CPU's kernels compute "
        "in f32; leave it out to train on the CPU");
    wrapper.set("type", Config::value("AmpOptimWrapper"));
  }
  double lr_scale = 1;
  const Config scaling = config_.find("auto_scale_lr");
  const int64_t base = scaling.get<int64_t>("base_batch_size", 0);
  if (auto_scale_lr || scaling.get("enable", false)) {
    check_input(base > 0, "auto_scale_lr.base_batch_size is needed to scale the learning rate");
    lr_scale = double(batch_size_) / double(base);
    log_->info(fmt::format("learning rate times {:g}: batch {} in place of {}", lr_scale,
                           batch_size_, base));
  }
  optim_.emplace(build_optim_wrapper(wrapper, *model_.store, lr_scale));
  for (const std::string& note : optim_->notes) log_->info(note);
  schedulers_ = build_schedulers(config_.find("param_scheduler"), optim_->wrapper.optimizer(),
                                 epoch_length());
}

void Trainer::start_from(const TrainerOptions& options) {
  const Config load_from = config_.find("load_from");
  const bool resume = options.resume || config_.get("resume", false);
  if (!resume) {
    if (!load_from.is_null()) load_model(model_, load_from.as<std::string>());
    return;
  }
  const std::string path = !options.resume_from.empty()              ? options.resume_from
                           : !load_from.is_null() && !options.resume ? load_from.as<std::string>()
                                                                     : last_checkpoint(work_dir_);
  const TrainingInfo info = load_training(path, parts());
  state_.epoch = info.epoch;
  state_.iteration = info.iter;
  if (info.seed != seed_) {
    if (options.seed) log_->warn(fmt::format("the seed of {} goes on: {}", path, info.seed));
    seed_ = info.seed;
    train_loader_ = make_loader(config_.at("train_dataloader"), seed_);
  }
  take_message(info.message);
  log_->info(fmt::format("resumed from {}: epoch {}, iteration {}", path, info.epoch, info.iter));
}

TrainingParts Trainer::parts() {
  TrainingParts p;
  p.store = model_.store.get();
  p.optimizer = &optim_->wrapper.optimizer();
  p.scaler = optim_->wrapper.scaler();
  for (const auto& hook : hooks_)
    if (AveragedModel* average = hook->average()) p.average = average;
  for (const auto& scheduler : schedulers_) p.schedulers.push_back(scheduler.get());
  p.randoms = {{"ops", &op_random()}};
  return p;
}

int64_t Trainer::total_iterations() const { return state_.max_iterations; }

bool Trainer::finished() const {
  return length_.by_epoch ? state_.epoch >= length_.max : state_.iteration >= length_.max;
}

void Trainer::run() {
  log_->info(fmt::format("{} parameters, {} training batches of {} an epoch, seed {}, work dir {}",
                         model_.store->count(), epoch_length(), batch_size_, seed_, work_dir_));
  started_ = now();
  started_at_ = state_.iteration;
  for (const auto& hook : hooks_) hook->before_train(state_);
  while (!finished()) run_epoch();
  if (model_.device.is_cuda()) {
    log_->info(fmt::format("{} of {} training steps were replays of a CUDA graph",
                           capture_->replays(), state_.iteration - started_at_));
    log_->info(kernels::gpu::memory_report(model_.device.index));
  }
  log_->info(fmt::format("done after {}", format_duration(now() - started_)));
}

void Trainer::rebuild_loader() {
  Config node = config_.at("train_dataloader");
  if (!state_.new_dataset.is_null()) node.set("dataset", state_.new_dataset);
  if (!state_.new_pipeline.is_null()) node.set_path("dataset.pipeline", state_.new_pipeline);
  state_.new_dataset = state_.new_pipeline = Config();
  const int64_t length = epoch_length();
  train_loader_ = make_loader(node, seed_);
  check_input(epoch_length() == length, "the new training data has ", epoch_length(),
              " batches an epoch in place of ", length);
  log_->info("the training pipeline was replaced");
}

void Trainer::run_epoch() {
  for (const auto& hook : hooks_) hook->before_epoch(state_);
  if (!state_.new_pipeline.is_null() || !state_.new_dataset.is_null()) rebuild_loader();
  model_.store->train(true);
  if (Head* head = model_.estimator->head()) {
    head->train.epoch = int(state_.epoch);
    head->train.max_epochs = int(state_.max_epochs);
  }
  capture_->begin_epoch();
  const int64_t first = state_.iteration - state_.epoch * epoch_length();
  train_loader_->start(state_.epoch, first);
  double before = now();
  std::optional<Batch> batch = next_batch(state_.iteration);
  while (batch) {
    std::optional<Batch> next;
    Step done = step(std::move(*batch), next);
    batch = std::move(next);
    for (const auto& scheduler : schedulers_)
      if (!scheduler->by_epoch()) scheduler->step();
    ++state_.iteration;
    for (const auto& hook : hooks_) hook->after_iteration(state_);
    done.seconds = now() - before;
    before = now();
    log_step(done);
    save_if_due(/*by_epoch=*/false);
    if (!length_.by_epoch && length_.validates_after(state_.iteration)) {
      validate(state_.iteration);
      model_.store->train(true);
      before = now();
    }
  }
  if (state_.iteration < (state_.epoch + 1) * epoch_length()) return;
  for (const auto& scheduler : schedulers_)
    if (scheduler->by_epoch()) scheduler->step();
  ++state_.epoch;
  save_if_due(/*by_epoch=*/true);
  if (length_.by_epoch && length_.validates_after(state_.epoch)) validate(state_.epoch);
}

void Trainer::make_capture(bool wanted) {
  const Config env = config_.find("env_cfg");
  if (!env.is_null()) env.ignore();  // the rest of it is about other frameworks' libraries
  const bool off = !wanted || !env.get("cuda_graph", true);
  capture_.emplace(
      model_.device, off ? "it is turned off" : "", [this] { optim_->wrapper.abandon(); },
      [this](const std::string& line) { log_->info(line); });
}

// Forward and backward. Of the losses the mean over all that is in them, the total last.
Losses Trainer::compute_gradients(const Tensor& inputs, ConstBatch samples) {
  const DeviceScope scope(model_.device);
  Tape tape;
  Losses losses;
  Tensor total;
  {
    const Autocast autocast(optim_->wrapper.precision());
    losses = model_.estimator->loss(inputs, samples);
    total = total_of(losses);
  }
  Losses means;
  {
    const NoRecord no_record;
    for (const auto& [name, value] : losses)
      means.emplace_back(name, value.rank() == 0 ? value : mean(value));
  }
  means.emplace_back("loss", total);
  optim_->wrapper.backward(tape, total);
  return means;
}

// The optimiser's step, where one is due, and averaged weights.
void Trainer::update() {
  const DeviceScope scope(model_.device);
  optim_->wrapper.finish_iteration();
  for (const auto& hook : hooks_) hook->after_update(state_);
}

// The batch of an iteration, on its way to the device. It is asked for while the device computes on
// the one before.
std::optional<Trainer::Batch> Trainer::next_batch(int64_t iteration) {
  const double waited = train_loader_->wait_seconds();
  std::optional<std::vector<DataSample>> samples = train_loader_->next();
  if (!samples) return std::nullopt;
  Batch batch{std::move(*samples), {}, train_loader_->wait_seconds() - waited};
  model_.preprocessor->set_iteration(iteration, seed_);
  batch.inputs = (*model_.preprocessor)(batch.samples, /*training=*/true);
  if (staging_ && !batch.inputs.device().is_cuda()) staging_->stage(batch.inputs);
  return batch;
}

// The numbers of a batch where those of the last one lay; one of another shape than a captured
// step's lies elsewhere.
std::pair<Tensor, ConstBatch> Trainer::place(Batch& batch) {
  if (!staging_) return {batch.inputs, batch.samples};
  const DeviceScope scope(model_.device);
  const Shape& shape = batch.inputs.shape();
  const bool fits =
      inputs_.defined() && inputs_.shape() == shape && batch_.size() == batch.samples.size();
  Tensor inputs = fits ? inputs_ : Tensor::empty(shape, batch.inputs.dtype());
  if (batch.inputs.device().is_cuda()) {
    inputs.copy_from(batch.inputs);
  } else {
    staging_->deliver(inputs);
  }
  if (!fits && capture_->is_captured()) return {inputs, batch.samples};
  inputs_ = inputs;
  batch_.resize(batch.samples.size());
  std::ranges::move(batch.samples, batch_.begin());
  return {inputs, batch_};
}

Trainer::Step Trainer::step(Batch batch, std::optional<Batch>& next) {
  Step result;
  result.images = batch.samples.size();
  result.data_seconds = batch.seconds;
  const auto [inputs, samples] = place(batch);
  optim_->wrapper.set_progress(state_.iteration, total_iterations());
  // Of an accumulation not each iteration ends with an update, which therefore stays outside.
  const bool accumulates = optim_->wrapper.accumulative_counts() > 1;
  const Losses losses = capture_->run(staging_ ? shapes_of(inputs, samples) : "", [&, this] {
    Losses found = compute_gradients(inputs, samples);
    if (!accumulates) update();
    return found;
  });
  const bool last = !length_.by_epoch && state_.iteration + 1 == length_.max;
  next = last ? std::nullopt : next_batch(state_.iteration + 1);
  capture_->wait();
  if (accumulates) update();
  for (const auto& [name, value] : losses) result.losses.emplace_back(name, value.item());
  if (!std::isfinite(result.losses.back().second)) {
    std::string values;
    for (const auto& [name, value] : result.losses) values += fmt::format(" {}={}", name, value);
    fail("the loss is not finite at epoch ", state_.epoch + 1, ", iteration ",
         state_.iteration - state_.epoch * epoch_length() + 1, ":", values, "; first image ",
         samples[0].meta.img_path, "; checkpoints written so far are sound");
  }
  return result;
}

void Trainer::log_step(const Step& done) {
  window_.push_back(done);
  Step mean = window_.front();
  for (auto& [name, value] : mean.losses) value = 0;
  mean.seconds = mean.data_seconds = 0;
  double images = 0;
  const double n = double(window_.size());
  for (const Step& s : window_) {
    for (size_t i = 0; i < std::min(mean.losses.size(), s.losses.size()); ++i)
      mean.losses[i].second += s.losses[i].second / n;
    mean.seconds += s.seconds / n;
    mean.data_seconds += s.data_seconds / n;
    images += double(s.images) / n;
  }
  const double lr = optim_->wrapper.optimizer().groups().front()[Hyper::lr];
  const int64_t in_epoch = (state_.iteration - 1) % epoch_length() + 1;
  const double per_iteration = (now() - started_) / double(state_.iteration - started_at_);
  const double eta = per_iteration * double(total_iterations() - state_.iteration);
  Progress p;
  p.epoch = state_.epoch + 1;
  p.max_epochs = length_.by_epoch ? length_.max : 0;
  p.iteration = length_.by_epoch ? in_epoch : state_.iteration;
  p.iterations = length_.by_epoch ? epoch_length() : length_.max;
  p.images_per_second = images / std::max(mean.seconds, 1e-9);
  p.data_seconds = mean.data_seconds;
  p.eta_seconds = eta;
  log_->progress(p, {{"loss", mean.losses.back().second}, {"lr", lr}});
  const bool last = in_epoch == epoch_length();
  if (in_epoch % log_interval_ != 0 && !last) return;
  std::string line =
      length_.by_epoch ? fmt::format("Epoch(train) [{}][{}/{}]", p.epoch, in_epoch, epoch_length())
                       : fmt::format("Iter(train) [{}/{}]", state_.iteration, length_.max);
  line +=
      fmt::format("  lr: {:.4e}  eta: {}  time: {:.4f}  data_time: {:.4f}  images/s: {:.0f}", lr,
                  format_duration(eta), mean.seconds, mean.data_seconds, p.images_per_second);
  Scalars scalars{{"lr", lr}, {"data_time", mean.data_seconds}};
  if (model_.device.is_cuda()) {  // as MMEngine has it: MiB, the most so far
    const size_t peak = memory_stats(model_.device).peak >> 20;
    line += fmt::format("  memory: {}", peak);
    scalars.emplace_back("memory", double(peak));
  }
  if (const auto norm = optim_->wrapper.gradient_norm()) scalars.emplace_back("grad_norm", *norm);
  for (const auto& [name, value] : mean.losses) {
    line += fmt::format("  {}: {:.6f}", name, value);
    scalars.emplace_back(name, value);
  }
  log_->info(line);
  scalars.emplace_back("time", mean.seconds);
  scalars.emplace_back("epoch", double(p.epoch));
  scalars.emplace_back("iter", double(state_.iteration));
  log_->scalars(scalars, state_.iteration);
  window_.clear();
}

void Trainer::validate(int64_t count) {
  if (val_loader_ == nullptr) return;
  for (const auto& hook : hooks_) hook->before_validation(state_);
  const Evaluation result =
      evaluate(model_, *val_loader_, *evaluator_, *log_,
               fmt::format("{}(val) [{}]", length_.by_epoch ? "Epoch" : "Iter", count));
  for (const auto& hook : hooks_) hook->after_validation(state_);
  metrics_ = result.metrics;
  Scalars scalars(metrics_.begin(), metrics_.end());
  scalars.emplace_back("data_time", result.data_seconds);
  scalars.emplace_back("time", result.seconds);
  log_->scalars(scalars, count);
  const std::map<std::string, double> by_name(metrics_.begin(), metrics_.end());
  for (const auto& scheduler : schedulers_) scheduler->step(by_name);
  for (const auto& [metric, before] : policy_->improved(metrics_)) {
    std::string safe = metric;
    std::ranges::replace(safe, '/', '_');
    const std::string name =
        fmt::format("best_{}_{}_{}", safe, length_.by_epoch ? "epoch" : "iter", count);
    policy_->wrote_best(metric, name + ".safetensors");
    save(name, /*regular=*/false);
    if (!before.empty() && before != name + ".safetensors") fs::remove(work_dir_ + "/" + before);
    log_->info(fmt::format("best {} so far: {:.4f}, saved as {}.safetensors", metric,
                           by_name.at(metric), name));
  }
}

void Trainer::save_if_due(bool by_epoch) {
  if (policy_->options().by_epoch != by_epoch) return;
  const int64_t count = by_epoch ? state_.epoch : state_.iteration;
  if (policy_->due(count)) save(fmt::format("{}_{}", by_epoch ? "epoch" : "iter", count), true);
}

void Trainer::save(const std::string& name, bool regular) {
  const std::string& own = policy_->options().out_dir;
  const std::string folder = own.empty() ? work_dir_ : own;
  const std::string path = folder + "/" + name + ".safetensors";
  std::vector<std::string> superfluous;
  if (regular) superfluous = policy_->wrote(path);
  TrainingInfo info;
  info.epoch = state_.epoch;
  info.iter = state_.iteration;
  info.seed = seed_;
  info.config = config_.dump();
  info.message = message();
  save_training(path, parts(), info);
  if (!regular) return;
  write_file_atomically(work_dir_ + "/last_checkpoint", path + "\n");
  for (const std::string& old : superfluous) fs::remove(old);
}

std::string Trainer::message() const {
  Config kept = Config::list(), best = Config::object(), paths = Config::object();
  for (const std::string& path : policy_->kept()) kept.push_back(Config::value(path));
  for (const auto& [name, value] : policy_->best()) best.set(name, Config::value(value));
  for (const auto& [name, path] : policy_->best_paths()) paths.set(name, Config::value(path));
  Config all = Config::object();
  all.set("kept", kept);
  all.set("best", best);
  all.set("best_paths", paths);
  return all.dump(0);
}

void Trainer::take_message(const std::string& text) {
  const Config all = Config::parse(text, "training state");
  std::map<std::string, double> best;
  std::map<std::string, std::string> paths;
  for (const std::string& key : all.at("best").keys()) best[key] = all.at("best").get<double>(key);
  for (const std::string& key : all.at("best_paths").keys())
    paths[key] = all.at("best_paths").get<std::string>(key);
  policy_->restore(all.get<std::vector<std::string>>("kept"), std::move(best), std::move(paths));
}

}  // namespace limber
