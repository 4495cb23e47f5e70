// Data sets of 3-D poses over time: Human3.6M, its whole-body annotation (H3WB) and UBody. A sample
// is a sequence of frames of 2-D key points and the 3-D pose of one or all of them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace limber {

// The numbers of one camera: f, c (2,), pixels; k (3,) radial, p (2,) tangential distortion; w, h;
// R, T, K where the file has them.
using CameraParameters = std::map<std::string, Tensor>;

// What a file holds, frame after frame.
struct MocapFrames {
  std::vector<std::string> names;   // of the images, F
  bool names_from_root = false;     // they lie below data_root, whatever data_prefix says
  Tensor keypoints, visible;        // (F, K, 2), pixels, and (F, K)
  Tensor keypoints_3d, visible_3d;  // (F, K, 3), metres, camera space, and (F, K)
  Tensor centers, scales;           // (F, 2), (F, 1 or 2), or undefined
  Tensor bboxes;                    // (F, 4), or undefined
  Tensor factors;                   // (F,), or undefined
  std::vector<CameraParameters> cameras;
  std::vector<int> camera_of;                // F, an index of cameras; empty: no cameras
  std::vector<std::vector<int64_t>> videos;  // frames of each, in order
};

// Which frames make a sample.
struct SequenceOptions {
  int64_t length = 1, step = 1;
  int64_t targets = 0;  // 0: one target frame; else all of this many frames are targets
  int64_t targets_step = 0;
  bool pad = false;    // a sample for every frame, beginning and end repeated
  bool causal = true;  // the target is the last frame, otherwise the middle one
  double subset = 1;   // share of the samples that is kept, in one piece
};
SequenceOptions read_sequence_options(const Config& config);

class MocapDataset : public Dataset {
 public:
  MocapDataset(const Config& config, MocapFrames frames, const std::string& metainfo);
  int64_t size() const override { return int64_t(items_.size()); }
  const DatasetMeta& metainfo() const override { return *meta_; }
  // keypoints (T, K, 2); more: keypoints_3d (T, K, 3), lifting_target (T', K, 3),
  // lifting_target_visible (T', K), factor (T,), camera_param/...; without 3-D labels ("unlabeled":
  // true in the config) target_2d (K, 2), in units of half the image's width around its centre, and
  // intrinsics (9,) in the same units take the place of these.
  Sample raw_sample(int64_t index, Random& random) const override;
  bool transform(Sample& sample, Random& random) const override;

  const MocapFrames& frames() const { return frames_; }
  std::vector<int64_t> frames_of(int64_t index) const;   // input frames
  std::vector<int64_t> targets_of(int64_t index) const;  // positions among them

 private:
  struct Item {
    int32_t video, first;  // the first input frame, or with padding the target
  };
  void make_items(const Config& config);
  void add_intrinsics(Sample& sample, int64_t frame) const;

  MocapFrames frames_;
  SequenceOptions sequence_;
  std::shared_ptr<const DatasetMeta> meta_;
  std::string image_folder_;
  bool unlabelled_ = false;
  std::vector<Item> items_;
  Pipeline pipeline_;
};

// By config["type"], null where it is none of these data sets.
std::shared_ptr<Dataset> make_mocap_dataset(const Config& config);
// The description of its key points, by the config alone.
std::shared_ptr<const DatasetMeta> mocap_metainfo(const Config& config);
const std::vector<std::string>& mocap_names();

}  // namespace limber
