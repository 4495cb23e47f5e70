#include "nn/checkpoint.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "autograd/autograd.h"
#include "nn/layers.h"
#include "nn/optim/optim_wrapper.h"
#include "nn/optim/param_groups.h"
#include "nn/optim/training_file.h"
#include "nn/pth_writer.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tensors.h"

namespace limber {
namespace {

size_t files_in(const std::filesystem::path& folder) {
  using Walk = std::filesystem::directory_iterator;
  return size_t(std::distance(Walk(folder), Walk()));
}

struct Net {
  ParameterStore store;
  Conv2d conv;
  BatchNorm bn;
  Dropout drop;
  Linear fc;
  explicit Net(uint64_t seed) : store(seed) {
    const Scope s = Scope(store) / "backbone";
    conv = Conv2d(s / "conv", ConvOptions::square(2, 3, 3, 1, 1, true));
    bn = BatchNorm(s / "bn", 3);
    drop = Dropout(s / "drop", 0.3);
    fc = Linear(Scope(store) / "head", 3, 2);
    store.train(true);
  }
  Tensor operator()(const Tensor& x) const { return fc(drop(mean(relu(bn(conv(x))), {1, 2}))); }
};

std::string bits(const ParameterStore& store) {
  std::string out;
  for (const Parameter& p : store.all())
    out.append(static_cast<const char*>(p.value.raw()), p.value.bytes());
  return out;
}

std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Checkpoint, RoundTripInPyTorchsLayout) {
  const TempFolder folder;
  const Net net(1);
  save_weights(net.store, folder.path("w"));
  const SafetensorsFile file(folder.path("w"));
  const Tensor stored = file.read("backbone.conv.weight");
  ASSERT_EQ(stored.shape(), (Shape{3, 2, 3, 3}));
  // (o, i, y, x) = (2, 1, 0, 2) of both layouts
  EXPECT_EQ(stored.data<float>()[(2 * 2 + 1) * 9 + 0 * 3 + 2],
            net.conv.weight.data<float>()[((2 * 3 + 0) * 3 + 2) * 2 + 1]);
  Net other(2);
  ASSERT_NE(bits(net.store), bits(other.store));
  EXPECT_TRUE(load_weights(other.store, folder.path("w")).clean());
  EXPECT_EQ(bits(net.store), bits(other.store));
}

TEST(Checkpoint, AllFaultsInOneError) {
  Net net(1);
  StateDict weights = weights_of(net.store);
  std::erase_if(weights, [](const NamedTensor& t) { return t.name == "head.bias"; });
  weights.push_back({"head.scale", Tensor::zeros({1})});
  for (NamedTensor& t : weights)
    if (t.name == "backbone.conv.weight") t.value = Tensor::zeros({3, 2, 5, 5});
  const std::string before = bits(net.store);
  for (NamedTensor& t : weights)
    if (t.name == "head.weight") t.value = Tensor::zeros({2, 3});
  const std::string error = error_of([&] { load_weights(net.store, weights, "some.pth"); });
  EXPECT_TRUE(contains(error, "some.pth")) << error;
  EXPECT_TRUE(contains(error, "missing: head.bias")) << error;
  EXPECT_TRUE(contains(error, "unexpected: head.scale")) << error;
  EXPECT_TRUE(contains(error, "backbone.conv.weight (file (3, 2, 5, 5), model (3, 2, 3, 3))"))
      << error;
  EXPECT_EQ(bits(net.store), before);
  const LoadReport report = load_weights(net.store, weights, "some.pth", {.strict = false});
  EXPECT_EQ(report.missing, std::vector<std::string>{"head.bias"});
  EXPECT_EQ(report.unexpected, std::vector<std::string>{"head.scale"});
  EXPECT_EQ(report.misshapen.size(), 1u);
  EXPECT_EQ(net.fc.weight.data<float>()[0], 0);
}

TEST(Checkpoint, PrefixesOldNamesAndHalfPrecision) {
  Net net(1);
  Tensor half = Tensor::empty({2}, DType::f16);
  std::memset(half.raw(), 0x3c, half.bytes());
  const StateDict weights{{"module.old.head.weight", Tensor::full({2, 3}, 5)},
                          {"module.old.head.bias", half},
                          {"module.neck.weight", Tensor::zeros({1})}};
  const LoadReport report =
      load_weights(net.store, weights, "x", {.file_prefix = "old.head", .model_prefix = "head"});
  EXPECT_TRUE(report.clean());
  EXPECT_EQ(net.fc.weight.data<float>()[3], 5);
  EXPECT_NEAR(net.fc.bias.data<float>()[1], 1.0586, 1e-4);
}

TEST(Checkpoint, SharedTensorsAndOldCounters) {
  Net net(1);
  Scope(net.store, "twin").tie("weight", "head.weight");
  StateDict weights = weights_of(net.store);
  std::erase_if(weights, [](const NamedTensor& t) {
    return t.name == "twin.weight" || t.name.ends_with("num_batches_tracked");
  });
  EXPECT_TRUE(load_weights(net.store, weights, "x").clean());
  std::erase_if(weights, [](const NamedTensor& t) { return t.name == "head.weight"; });
  const LoadReport report = load_weights(net.store, weights, "x", {.strict = false});
  EXPECT_EQ(report.missing.size(), 2u);
}

TEST(Checkpoint, PthFilesLoadByTheirContent) {
  const TempFolder folder;
  const Net net(1);
  PickleValue state = PickleValue::dict();
  for (const NamedTensor& t : weights_of(net.store)) state.set("module." + t.name, t.value);
  PickleValue tree = PickleValue::dict();
  tree.set("state_dict", state);
  save_pth(folder.path("epoch_1.ckpt"), tree);
  Net other(2);
  EXPECT_TRUE(load_weights(other.store, folder.path("epoch_1.ckpt")).clean());
  EXPECT_EQ(bits(net.store), bits(other.store));
  folder.write("cut.pth", "PK\3\4 and no more");
  EXPECT_THROW(load_weights(other.store, folder.path("cut.pth")), InputError);
}

// Everything that a run of the trainer has.
struct Training {
  Net net;
  OptimizerOptions options = OptimizerOptions::defaults(OptimizerKind::adamw);
  OptimWrapper wrapper;
  AveragedModel average;
  Scheduler warm_up, cosine;
  explicit Training(uint64_t seed)
      : net(seed),
        wrapper(Optimizer(options, paramwise_groups(net.store, options, {})), 2,
                {.by = ClipOptions::By::norm, .max = 0.1},
                {.scaler = GradScalerOptions{.growth_interval = 3}}),
        average(net.store, {.kind = AverageOptions::Kind::exp_momentum, .gamma = 10}),
        warm_up(wrapper.optimizer(), Hyper::lr, {0, 4, false}, schedule::linear(0.1, 1, 4)),
        cosine(wrapper.optimizer(), Hyper::lr, {3, 12, false}, schedule::cosine(9, {0.05, true})) {}

  TrainingParts parts() {
    return {.store = &net.store,
            .optimizer = &wrapper.optimizer(),
            .scaler = wrapper.scaler(),
            .average = &average,
            .schedulers = {&warm_up, &cosine},
            .randoms = {{"ops", &op_random()}}};
  }
  void train(int from, int to) {
    wrapper.set_progress(from, 11);
    for (int i = from; i < to; ++i) {
      const Tensor x = test::uniform({4, 5, 5, 2}, -1, 1, uint64_t(i));
      Tape tape;
      const Tensor loss = mean(square(net(x) - 1.0));
      wrapper.update(tape, loss);
      average.update();
      warm_up.step();
      cosine.step();
    }
  }
};

TEST(TrainingFile, ResumedRunIsBitIdentical) {
  const TempFolder folder;
  for (const int stop : {4, 5}) {  // between two windows of the accumulation, and within one
    op_random() = Random(5);
    Training straight(1);
    straight.train(0, 11);
    op_random() = Random(5);
    {
      Training first(1);
      first.train(0, stop);
      save_training(
          folder.path("run"), first.parts(),
          {.epoch = 2, .iter = stop, .seed = ~uint64_t{0}, .config = "{\"a\": 1}", .message = "m"});
    }
    op_random() = Random(77);
    Training second(9);
    const TrainingInfo info = load_training(folder.path("run"), second.parts());
    EXPECT_EQ(info.iter, stop);
    EXPECT_EQ(info.seed, ~uint64_t{0});
    EXPECT_EQ(info.config, "{\"a\": 1}");
    second.train(stop, 11);
    EXPECT_EQ(bits(straight.net.store), bits(second.net.store)) << stop;
    straight.average.swap();
    second.average.swap();
    EXPECT_EQ(bits(straight.net.store), bits(second.net.store)) << stop;
    EXPECT_EQ(straight.wrapper.optimizer().groups()[0].values,
              second.wrapper.optimizer().groups()[0].values);
    EXPECT_NE(second.wrapper.scaler()->scale(), GradScalerOptions().init_scale);
    EXPECT_EQ(straight.wrapper.scaler()->scale(), second.wrapper.scaler()->scale());
    EXPECT_EQ(straight.wrapper.scaler()->state().steps_since_change,
              second.wrapper.scaler()->state().steps_since_change);
  }
}

TEST(TrainingFile, IsAlsoAFileOfTheAveragedWeights) {
  const TempFolder folder;
  Training run(1);
  run.train(0, 4);
  save_training(folder.path("run"), run.parts(), {});
  Net net(3);
  EXPECT_TRUE(load_weights(net.store, folder.path("run")).clean());
  EXPECT_NE(bits(net.store), bits(run.net.store));
  run.average.swap();
  EXPECT_EQ(bits(net.store), bits(run.net.store));
}

TEST(TrainingFile, RefusesOtherRuns) {
  const TempFolder folder;
  Training run(1);
  save_weights(run.net.store, folder.path("weights"));
  EXPECT_TRUE(contains(error_of([&] { load_training(folder.path("weights"), run.parts()); }),
                       "holds weights only"));
  save_training(folder.path("run"), run.parts(), {});
  TrainingParts fewer = run.parts();
  fewer.schedulers.pop_back();
  EXPECT_TRUE(contains(error_of([&] { load_training(folder.path("run"), fewer); }), "schedulers"));
  TrainingParts more = run.parts();
  more.randoms.push_back({"data", &op_random()});
  EXPECT_TRUE(contains(error_of([&] { load_training(folder.path("run"), more); }), "random/data"));
  Optimizer other(run.options, one_group(run.net.store, run.options));
  TrainingParts grouped = run.parts();
  grouped.optimizer = &other;
  EXPECT_TRUE(contains(error_of([&] { load_training(folder.path("run"), grouped); }), "groups"));
}

// A process that may write 1000 bytes per file: the error says so, and the old file stays.
TEST(Checkpoint, FailedWriteLeavesTheOldFile) {
  const TempFolder folder;
  const Net old(1), fresh(2);
  save_weights(old.store, folder.path("w"));
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit{1000, 1000};
    std::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &limit);
    int result = 1;
    try {
      save_weights(fresh.store, folder.path("w"));
    } catch (const Error& error) {
      result = contains(error.what(), "/w: ") && contains(error.what(), "File too large") ? 0 : 2;
    }
    ::_exit(result);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(files_in(folder.path()), 1u);
  Net back(3);
  load_weights(back.store, folder.path("w"));
  EXPECT_EQ(bits(back.store), bits(old.store));
  EXPECT_THROW(save_weights(old.store, "/dev/null/w"), Error);
}

}  // namespace
}  // namespace limber
