// Points and rotations of space.
#pragma once

#include <cmath>

namespace limber::synth {

struct Vec3 {
  double x = 0, y = 0, z = 0;
};
inline Vec3 operator+(Vec3 a, Vec3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
inline Vec3 operator-(Vec3 a, Vec3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
inline Vec3 operator*(double s, Vec3 a) { return {s * a.x, s * a.y, s * a.z}; }

constexpr double kDegree = 3.14159265358979 / 180;

// A rotation as three column vectors.
struct Rotation {
  Vec3 x{1, 0, 0}, y{0, 1, 0}, z{0, 0, 1};
  Vec3 operator()(Vec3 v) const { return v.x * x + v.y * y + v.z * z; }
};
inline Rotation operator*(const Rotation& a, const Rotation& b) { return {a(b.x), a(b.y), a(b.z)}; }
inline Rotation about_x(double t) {
  return {{1, 0, 0}, {0, std::cos(t), std::sin(t)}, {0, -std::sin(t), std::cos(t)}};
}
inline Rotation about_y(double t) {
  return {{std::cos(t), 0, -std::sin(t)}, {0, 1, 0}, {std::sin(t), 0, std::cos(t)}};
}
inline Rotation about_z(double t) {
  return {{std::cos(t), std::sin(t), 0}, {-std::sin(t), std::cos(t), 0}, {0, 0, 1}};
}

}  // namespace limber::synth
