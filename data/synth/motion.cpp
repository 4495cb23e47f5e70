#include "data/synth/motion.h"

#include <algorithm>

namespace limber::synth {
namespace {

constexpr double kTurn = 2 * 180 * kDegree;

enum Joint : int {
  kPelvis,
  kRightHip,
  kRightKnee,
  kRightFoot,
  kLeftHip,
  kLeftKnee,
  kLeftFoot,
  kSpine,
  kThorax,
  kNeck,
  kHead,
  kLeftShoulder,
  kLeftElbow,
  kLeftWrist,
  kRightShoulder,
  kRightElbow,
  kRightWrist
};

Wave between(Random& random, double low, double high, double slowest, double fastest) {
  Wave w{low, high, {}, {}};
  for (size_t i = 0; i < 2; ++i) {
    w.frequency[i] = random.uniform(slowest, fastest);
    w.phase[i] = random.uniform(0, kTurn);
  }
  return w;
}

// Degrees, of which this motion uses a part.
Wave angle(Random& random, double low, double high) {
  const double width = (high - low) * random.uniform(0.2, 0.9);
  const double from = random.uniform(low, high - width);
  return between(random, from * kDegree, (from + width) * kDegree, 0.15, 0.7);
}

double dot(Vec3 a, Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }

Vec3 cross(Vec3 a, Vec3 b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

Vec3 unit(Vec3 v) { return 1 / std::sqrt(dot(v, v)) * v; }

}  // namespace

double Wave::operator()(double seconds) const {
  const double s = 0.7 * std::sin(kTurn * frequency[0] * seconds + phase[0]) +
                   0.3 * std::sin(kTurn * frequency[1] * seconds + phase[1]);
  return low + (high - low) * (0.5 + 0.5 * s);
}

Body random_body(Random& random) {
  return {random.uniform(1.55, 1.95), random.uniform(0.96, 1.04), random.uniform(0.96, 1.04),
          random.uniform(0.92, 1.08)};
}

Motion::Motion(Random& random) {
  x_ = between(random, -1, 1, 0.03, 0.12);
  z_ = between(random, -1, 1, 0.03, 0.12);
  const double heading = random.uniform(0, kTurn), turns = random.uniform(20, 200) * kDegree;
  heading_ = between(random, heading, heading + turns, 0.03, 0.15);
  tilt_ = angle(random, -8, 8);
  lean_ = angle(random, -8, 40);
  side_ = angle(random, -15, 15);
  turn_ = angle(random, -30, 30);
  nod_ = angle(random, -25, 30);
  for (size_t i = 0; i < 2; ++i) {
    arms_[i] = {angle(random, 5, 110), angle(random, -30, 90), angle(random, 5, 130),
                angle(random, -60, 60)};
    legs_[i] = {angle(random, 0, 25), angle(random, -20, 50), angle(random, 0, 70)};
  }
}

Pose3d Motion::pose(const Body& body, double t) const {
  const double s = body.height / 1.75, wide = s * body.width;
  const Rotation pelvis = about_y(heading_(t)) * about_z(tilt_(t));
  // Forwards is -z, so that a positive lean turns the upward direction there.
  const Rotation torso = pelvis * about_y(turn_(t)) * about_x(lean_(t)) * about_z(side_(t));
  const Rotation head = torso * about_x(nod_(t));
  Pose3d j;
  j[kPelvis] = {x_(t), 0, z_(t)};
  j[kSpine] = j[kPelvis] + torso({0, -0.24 * s, 0});
  j[kThorax] = j[kSpine] + torso({0, -0.25 * s, 0});
  j[kNeck] = j[kThorax] + head({0, -0.11 * s, -0.04 * s});
  j[kHead] = j[kNeck] + head({0, -0.12 * s, 0});
  for (int left = 0; left < 2; ++left) {
    const double side = left == 1 ? 1 : -1;
    const Arm& arm = arms_[left];
    const Rotation upper = torso * about_x(-arm.swing(t)) * about_z(-side * arm.raise(t)) *
                           about_y(side * arm.twist(t));
    const Rotation lower = upper * about_x(-arm.bend(t));
    const int shoulder = left == 1 ? kLeftShoulder : kRightShoulder;
    j[size_t(shoulder)] = j[kThorax] + torso({side * 0.15 * wide, 0.02 * s, 0});
    j[size_t(shoulder + 1)] = j[size_t(shoulder)] + upper({0, 0.28 * s * body.arms, 0});
    j[size_t(shoulder + 2)] = j[size_t(shoulder + 1)] + lower({0, 0.25 * s * body.arms, 0});
    const Leg& leg = legs_[left];
    const Rotation thigh = pelvis * about_x(-leg.swing(t)) * about_z(-side * leg.spread(t));
    const Rotation shank = thigh * about_x(leg.bend(t));
    const int hip = left == 1 ? kLeftHip : kRightHip;
    j[size_t(hip)] = j[kPelvis] + pelvis({side * 0.13 * wide, 0, 0});
    j[size_t(hip + 1)] = j[size_t(hip)] + thigh({0, 0.45 * s * body.legs, 0});
    j[size_t(hip + 2)] = j[size_t(hip + 1)] + shank({0, 0.45 * s * body.legs, 0});
  }
  // Whoever stands on the lower foot stands on the floor.
  const double drop = -std::max(j[kLeftFoot].y, j[kRightFoot].y);
  for (Vec3& v : j) v.y += drop;
  return j;
}

std::vector<PoseCamera> room_cameras(Random& random, int count) {
  std::vector<PoseCamera> cameras;
  for (int i = 0; i < count; ++i) {
    const double around = (double(i) + random.uniform(-0.2, 0.2)) / count * kTurn;
    const double distance = random.uniform(4.6, 5.6);
    PoseCamera c;
    c.position = {distance * std::sin(around), -random.uniform(1.2, 1.8),
                  distance * std::cos(around)};
    const Vec3 down{0, 1, 0}, forward = unit(Vec3{0, -0.9, 0} - c.position);
    const Vec3 right = unit(cross(down, forward)), under = cross(forward, right);
    // Rows right, under, forward.
    c.to_camera = {{right.x, under.x, forward.x},
                   {right.y, under.y, forward.y},
                   {right.z, under.z, forward.z}};
    c.focal = random.uniform(1100, 1190);
    c.center_x = random.uniform(495, 515);
    c.center_y = random.uniform(495, 515);
    cameras.push_back(c);
  }
  return cameras;
}

}  // namespace limber::synth
