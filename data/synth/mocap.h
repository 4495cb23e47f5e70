// Synthetic motion capture in Human3.6M's files: what Human36mDataset reads.
//
//   folder/annotations/<split>.npz   imgname, part (2-D key points), S (3-D, camera space, metres)
//   folder/annotations/cameras.pkl   by subject and camera
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace limber::synth {

struct MocapOptions {
  int takes = 40, val_takes = 10;  // motions, each seen by all cameras
  int frames = 150;                // of a take
  double rate = 25;                // frames a second
  int cameras = 4;
  double noise = 1;  // standard deviation of 2-D key points, pixels
};

struct MocapSummary {
  int64_t train_frames = 0, val_frames = 0;
  // MPJPE on the validation frames of the training frames' mean pose, root-relative, metres.
  double mean_pose_error = 0;
};

// Deterministic by seed. Training and validation have subjects of their own. Throws InputError
// where a file cannot be written.
MocapSummary write_mocap(const std::string& folder, const MocapOptions& options, uint64_t seed);

}  // namespace limber::synth
