// limber synth3d FOLDER: synthetic motion capture for lifting.
#include <fmt/format.h>

#include <memory>

#include "data/synth/mocap.h"
#include "tools/limber/commands.h"

namespace limber::tool {
namespace {

struct Arguments {
  std::string folder;
  synth::MocapOptions options;
  uint64_t seed = 0;
};

void run(const Arguments& a) {
  const synth::MocapSummary s = synth::write_mocap(a.folder, a.options, a.seed);
  fmt::print("{}: {} training and {} validation frames of {} joints\n", a.folder, s.train_frames,
             s.val_frames, 17);
  fmt::print(
      "the training frames' mean pose is off by {:.1f} mm (MPJPE) on the validation frames\n",
      1000 * s.mean_pose_error);
}

}  // namespace

void add_synth3d(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "synth3d",
      "make a data set of moving bodies seen by cameras: 2-D and 3-D joints in Human3.6M's files");
  const auto a = std::make_shared<Arguments>();
  command->add_option("folder", a->folder, "where to put it")->required();
  command->add_option("--takes", a->options.takes, "training motions, each seen by all cameras")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--val-takes", a->options.val_takes, "validation motions, of other bodies")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--frames", a->options.frames, "frames of a motion, 25 a second")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--cameras", a->options.cameras, "cameras around the room")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command->add_option("--noise", a->options.noise, "standard deviation of 2-D joints, pixels")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  command->add_option("--seed", a->seed, "same seed, same motions")->capture_default_str();
  command->callback([a] { run(*a); });
}

}  // namespace limber::tool
