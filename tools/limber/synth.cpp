// limber synth FOLDER: a synthetic data set of articulated figures.
#include <fmt/format.h>
#include <unistd.h>

#include <memory>

#include "data/synth/synth.h"
#include "tensor/op.h"
#include "tools/limber/commands.h"

namespace limber::tool {
namespace {

struct Arguments {
  std::string folder;
  int train = 1000, val = 100, test = 20, threads = 0;
  uint64_t seed = 0;
  std::vector<int> size{320, 240}, people;
  double difficulty = 1;
  bool crowd = false;
};

void run(const Arguments& a) {
  if (a.threads > 0) set_threads(a.threads);
  synth::SceneOptions options;
  options.width = a.size[0];
  options.height = a.size[1];
  if (a.crowd) {
    options.min_people = 3, options.max_people = 6;
    options.min_height = 0.3, options.max_height = 0.5;
  }
  if (!a.people.empty()) {
    check_input(a.people[0] <= a.people[1], "--people: ", a.people[0], " is more than ",
                a.people[1]);
    options.min_people = a.people[0];
    options.max_people = a.people[1];
  }
  options.difficulty = a.difficulty;
  std::vector<synth::Split> splits;
  if (a.train > 0) splits.push_back({"train", a.train});
  if (a.val > 0) splits.push_back({"val", a.val});
  if (a.test > 0) splits.push_back({"test", a.test});
  const bool terminal = isatty(STDOUT_FILENO) != 0;
  synth::write_dataset(a.folder, splits, options, a.seed, [&](int64_t done, int64_t all) {
    if (terminal && (done % 20 == 0 || done == all)) {
      fmt::print("\rpictures {}/{}{}", done, all, done == all ? "\n" : "");
      std::fflush(stdout);
    }
  });
  fmt::print("{}: {} training, {} validation, {} test pictures of {} x {}\n", a.folder, a.train,
             a.val, a.test, a.size[0], a.size[1]);
}

}  // namespace

void add_synth(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "synth", "make a data set of drawn figures: pictures and COCO key-point annotations");
  const auto a = std::make_shared<Arguments>();
  command->add_option("folder", a->folder, "where to put it")->required();
  command->add_option("--train", a->train, "training pictures")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--val", a->val, "validation pictures")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--test", a->test, "further pictures nothing is trained or tuned on")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--size", a->size, "width and height")
      ->expected(2)
      ->delimiter('x')
      ->check(CLI::Range(16, 8192));
  command->add_flag("--crowd", a->crowd,
                    "smaller figures, three to six of them: for models that find the people "
                    "themselves");
  command->add_option("--people", a->people, "fewest and most people a picture [1-3]")
      ->expected(2)
      ->delimiter('-')
      ->check(CLI::Range(0, 50));
  command->add_option("--difficulty", a->difficulty, "amount of clutter and occlusion; 1 is usual")
      ->check(CLI::Range(0.0, 4.0))
      ->capture_default_str();
  command->add_option("--seed", a->seed, "same seed, same pictures")->capture_default_str();
  command->add_option("--threads", a->threads, "threads to use (default: all cores)")
      ->check(CLI::PositiveNumber);
  command->callback([a] { run(*a); });
}

}  // namespace limber::tool
