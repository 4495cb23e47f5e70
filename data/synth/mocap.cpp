#include "data/synth/mocap.h"

#include <fmt/format.h>

#include "data/numpy_file.h"
#include "data/synth/motion.h"
#include "tensor/write_file.h"

namespace limber::synth {
namespace {

// Frames of one split as they are collected.
struct Frames {
  std::vector<std::string> names;
  std::vector<float> part, pose;  // (F, 17, 3): x, y, 1; (F, 17, 4): x, y, z, 1
};

struct Subject {
  std::string name;
  Body body;
  std::vector<PoseCamera> cameras;
};

std::vector<Subject> make_subjects(const std::vector<std::string>& names, int cameras,
                                   uint64_t seed) {
  std::vector<Subject> subjects;
  for (const std::string& name : names) {
    Random random(mix_seed(seed, name.c_str()));
    const Body body = random_body(random);
    subjects.push_back({name, body, room_cameras(random, cameras)});
  }
  return subjects;
}

std::string camera_name(size_t i) { return fmt::format("cam{}", i + 1); }

void add_take(const Subject& subject, int take, const MocapOptions& o, uint64_t seed,
              Frames& frames) {
  Random random(mix_seed(seed, uint64_t(take)));
  const Motion motion(random);
  std::vector<Pose3d> poses;
  for (int t = 0; t < o.frames; ++t) poses.push_back(motion.pose(subject.body, t / o.rate));
  for (size_t c = 0; c < subject.cameras.size(); ++c) {
    const PoseCamera& camera = subject.cameras[c];
    for (size_t t = 0; t < poses.size(); ++t) {
      frames.names.push_back(fmt::format("{0}_Motion_{1}.{2}/{0}_Motion_{1}.{2}_{3:06}.jpg",
                                         subject.name, take + 1, camera_name(c), t + 1));
      for (const Vec3& joint : poses[t]) {
        const Vec3 p = camera.in_camera(joint);
        frames.pose.insert(frames.pose.end(), {float(p.x), float(p.y), float(p.z), 1.0f});
        const double u = camera.focal * p.x / p.z + camera.center_x + o.noise * random.normal();
        const double v = camera.focal * p.y / p.z + camera.center_y + o.noise * random.normal();
        frames.part.insert(frames.part.end(), {float(u), float(v), 1.0f});
      }
    }
  }
}

Frames make_frames(const std::vector<Subject>& subjects, int takes, const MocapOptions& o,
                   uint64_t seed) {
  Frames frames;
  for (int take = 0; take < takes; ++take)
    add_take(subjects[size_t(take) % subjects.size()], take, o, seed, frames);
  return frames;
}

void write_frames(const std::string& path, const Frames& frames) {
  const int64_t F = int64_t(frames.names.size());
  NumpyArchiveWriter archive(path);
  archive.add("imgname", frames.names);
  archive.add("part", Tensor::from(frames.part, {F, kMotionJoints, 3}));
  archive.add("S", Tensor::from(frames.pose, {F, kMotionJoints, 4}));
  archive.finish();
}

PickleValue list_of(std::initializer_list<double> values) {
  PickleValue list = PickleValue::list();
  for (double v : values) list.push_back(v);
  return list;
}

PickleValue camera_entry(const PoseCamera& c) {
  PickleValue entry = PickleValue::dict();
  const Rotation& r = c.to_camera;
  entry.set("R", list_of({r.x.x, r.y.x, r.z.x, r.x.y, r.y.y, r.z.y, r.x.z, r.y.z, r.z.z}));
  entry.set("T", list_of({c.position.x, c.position.y, c.position.z}));
  entry.set("f", list_of({c.focal, c.focal}));
  entry.set("c", list_of({c.center_x, c.center_y}));
  entry.set("k", list_of({0, 0, 0}));
  entry.set("p", list_of({0, 0}));
  entry.set("w", PickleValue(c.width));
  entry.set("h", PickleValue(c.height));
  return entry;
}

// Coordinate d of joint j of frame f, relative to the pelvis.
double relative(const Frames& frames, size_t f, size_t j, size_t d) {
  const float* pose = frames.pose.data() + f * kMotionJoints * 4;
  return double(pose[4 * j + d]) - double(pose[d]);
}

double mean_pose_error(const Frames& train, const Frames& val) {
  std::vector<double> mean(kMotionJoints * 3);
  for (size_t f = 0; f < train.names.size(); ++f)
    for (size_t i = 0; i < mean.size(); ++i)
      mean[i] += relative(train, f, i / 3, i % 3) / double(train.names.size());
  double total = 0;
  for (size_t f = 0; f < val.names.size(); ++f)
    for (size_t j = 0; j < kMotionJoints; ++j) {
      double square = 0;
      for (size_t d = 0; d < 3; ++d) {
        const double difference = relative(val, f, j, d) - mean[3 * j + d];
        square += difference * difference;
      }
      total += std::sqrt(square);
    }
  return total / double(val.names.size() * kMotionJoints);
}

}  // namespace

MocapSummary write_mocap(const std::string& folder, const MocapOptions& o, uint64_t seed) {
  make_folder(folder + "/annotations");
  const auto trained = make_subjects({"S1", "S5", "S6", "S7", "S8"}, o.cameras, seed);
  const auto others = make_subjects({"S9", "S11"}, o.cameras, seed);
  const Frames train = make_frames(trained, o.takes, o, mix_seed(seed, "train"));
  const Frames val = make_frames(others, o.val_takes, o, mix_seed(seed, "val"));
  write_frames(folder + "/annotations/train.npz", train);
  write_frames(folder + "/annotations/val.npz", val);
  PickleValue cameras = PickleValue::dict();
  for (const auto* subjects : {&trained, &others})
    for (const Subject& subject : *subjects)
      for (size_t c = 0; c < subject.cameras.size(); ++c)
        cameras.set(PickleValue::tuple({subject.name, camera_name(c)}),
                    camera_entry(subject.cameras[c]));
  write_pickle_file(folder + "/annotations/cameras.pkl", cameras);
  return {int64_t(train.names.size()), int64_t(val.names.size()), mean_pose_error(train, val)};
}

}  // namespace limber::synth
