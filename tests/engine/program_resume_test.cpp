// A run that is killed and resumed, or has other numbers of threads, ends with the same bits.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>

#include "tensor/random.h"
#include "tests/support/tiny_run.h"

namespace limber::test {
namespace {

TEST(ProgramTrain, SameSeedSameBitsWhateverTheThreads) {
  const TinyRun run;
  ASSERT_EQ(run.train("a").exit_code, 0);
  ASSERT_EQ(run.train("b").exit_code, 0);
  ASSERT_EQ(run.train("c", {"--threads", "1", "train_dataloader.num_workers=1"}).exit_code, 0);
  expect_same_tensors(run.last("a"), run.last("b"));
  expect_same_tensors(run.last("a"), run.last("c"));
}

TEST(ProgramTrain, KilledAndResumedEndsWithTheSameBits) {
  const TinyRun run;
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(run.train("whole").exit_code, 0);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  Random random(7);
  int killed = 0;
  for (int round = 0; round < 10; ++round) {
    const std::string name = "killed" + std::to_string(round);
    const auto resumable = [&] {
      return std::filesystem::exists(run.path(name + "/last_checkpoint"));
    };
    for (int kills = 0; kills < 2; ++kills) {
      const std::vector<std::string> more =
          resumable() ? std::vector<std::string>{"--resume"} : std::vector<std::string>{};
      killed += run.train(name, more, {.kill_after = random.uniform() * seconds}).signal == SIGKILL;
    }
    const ProgramResult rest = run.train(
        name, resumable() ? std::vector<std::string>{"--resume"} : std::vector<std::string>{});
    ASSERT_EQ(rest.exit_code, 0) << rest.err;
    expect_same_tensors(run.last("whole"), run.last(name));
  }
  EXPECT_GE(killed, 5) << "too few of the runs were killed for the test to say anything";
}

}  // namespace
}  // namespace limber::test
