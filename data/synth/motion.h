// A body of Human3.6M's seventeen joints in smooth motion, and cameras that look at it.
//
// Coordinates are metres, x and z along the floor, y down; the floor is y = 0. A body's own x goes
// to its left, its front is -z. Everything is a function of seeds.
#pragma once

#include <array>
#include <vector>

#include "data/synth/rotation.h"
#include "tensor/random.h"

namespace limber::synth {

constexpr int kMotionJoints = 17;  // Human3.6M's order: pelvis, right leg, left leg, spine, arms
using Pose3d = std::array<Vec3, kMotionJoints>;

struct Body {
  double height = 1.75;                  // metres
  double legs = 1, arms = 1, width = 1;  // proportions
};
Body random_body(Random& random);

// One slowly changing angle or place: two sines between two bounds.
struct Wave {
  double low = 0, high = 0;
  std::array<double, 2> frequency{}, phase{};  // Hz, radians
  double operator()(double seconds) const;
};

// What somebody does for a while: a range for every joint angle, a way through the room.
class Motion {
 public:
  explicit Motion(Random& random);
  Pose3d pose(const Body& body, double seconds) const;

 private:
  struct Arm {
    Wave raise, swing, bend, twist;
  };
  struct Leg {
    Wave spread, swing, bend;
  };
  Wave x_, z_, heading_, tilt_, lean_, side_, turn_, nod_;
  Arm arms_[2];
  Leg legs_[2];
};

// A pinhole camera without distortion.
struct PoseCamera {
  Rotation to_camera;  // rows of R as columns of this: camera = to_camera(world - position)
  Vec3 position;
  double focal = 1145, center_x = 500, center_y = 500;
  int width = 1000, height = 1000;
  Vec3 in_camera(Vec3 world) const { return to_camera(world - position); }
};

// `count` cameras around the room's middle.
std::vector<PoseCamera> room_cameras(Random& random, int count);

}  // namespace limber::synth
