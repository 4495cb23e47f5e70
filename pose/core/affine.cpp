#include "pose/core/affine.h"

#include <cmath>

namespace limber {
namespace {

constexpr double kRadians = 3.14159265358979323846 / 180;

Point rotated(const Point& p, double degrees) {
  const double s = std::sin(degrees * kRadians), c = std::cos(degrees * kRadians);
  return {p[0] * c - p[1] * s, p[0] * s + p[1] * c};
}

// The third corner of a right angle at b whose other leg ends in a.
Point right_angle(const Point& a, const Point& b) {
  return {b[0] - (a[1] - b[1]), b[1] + (a[0] - b[0])};
}

// The affine map of three points onto three others, by Cramer's rule.
Matrix23 from_points(const std::array<Point, 3>& from, const std::array<Point, 3>& to) {
  const double ux = from[1][0] - from[0][0], uy = from[1][1] - from[0][1];
  const double vx = from[2][0] - from[0][0], vy = from[2][1] - from[0][1];
  const double area = ux * vy - uy * vx;
  check_input(area != 0 && std::isfinite(area), "warp matrix: the box has no area");
  Matrix23 m;
  for (size_t row = 0; row < 2; ++row) {
    const double du = to[1][row] - to[0][row], dv = to[2][row] - to[0][row];
    const double a = (du * vy - dv * uy) / area, b = (dv * ux - du * vx) / area;
    m[row * 3] = a;
    m[row * 3 + 1] = b;
    m[row * 3 + 2] = to[0][row] - a * from[0][0] - b * from[0][1];
  }
  return m;
}

// The reference keeps these points in f32, and so do the numbers recorded of it.
Point single(const Point& p) { return {double(float(p[0])), double(float(p[1]))}; }

}  // namespace

Matrix23 warp_matrix(const Point& center, const Point& scale, double rotation,
                     const std::array<int, 2>& output_size, const WarpOptions& options) {
  const double dst_w = output_size[0], dst_h = output_size[1];
  const Point moved{center[0] + scale[0] * options.shift[0],
                    center[1] + scale[1] * options.shift[1]};
  const Point src_dir = rotated({-scale[0] / 2, 0}, rotation);
  std::array<Point, 3> src, dst;
  src[0] = single(moved);
  src[1] = single({moved[0] + src_dir[0], moved[1] + src_dir[1]});
  dst[0] = single({dst_w * 0.5, dst_h * 0.5});
  dst[1] = single({0, dst_h * 0.5});
  if (options.fix_aspect_ratio) {
    src[2] = single(right_angle(src[0], src[1]));
    dst[2] = single(right_angle(dst[0], dst[1]));
  } else {
    const Point up = rotated({0, -scale[1] / 2}, rotation);
    src[2] = single({moved[0] + up[0], moved[1] + up[1]});
    dst[2] = single({dst_w * 0.5, 0});
  }
  return options.inverse ? from_points(dst, src) : from_points(src, dst);
}

Matrix23 udp_warp_matrix(const Point& center, const Point& scale, double rotation,
                         const Point& output_size) {
  check_input(scale[0] > 0 && scale[1] > 0, "warp matrix: the box has no area");
  const double s = std::sin(rotation * kRadians), c = std::cos(rotation * kRadians);
  const double sx = (output_size[0] - 1) / scale[0], sy = (output_size[1] - 1) / scale[1];
  Matrix23 m{c * sx, -s * sx, sx * (-center[0] * c + center[1] * s + 0.5 * scale[0]),
             s * sy, c * sy,  sy * (-center[0] * s - center[1] * c + 0.5 * scale[1])};
  for (double& v : m) v = float(v);
  return m;
}

Matrix33 perspective_matrix(const Point& center, const Point& translate, double scale,
                            double rotation, const Point& shear) {
  const double s = std::sin(rotation * kRadians), c = std::cos(rotation * kRadians);
  const Matrix33 back{1, 0, -center[0], 0, 1, -center[1], 0, 0, 1};
  const Matrix33 scaling{scale, 0, 0, 0, scale, 0, 0, 0, 1};
  const Matrix33 turning{c, -s, 0, s, c, 0, 0, 0, 1};
  const Matrix33 shearing{
      1, std::tan(shear[0] * kRadians), 0, std::tan(shear[1] * kRadians), 1, 0, 0, 0, 1};
  const Matrix33 forth{1, 0, translate[0] + center[0], 0, 1, translate[1] + center[1], 0, 0, 1};
  return product(forth, product(shearing, product(turning, product(scaling, back))));
}

Matrix23 inverse(const Matrix23& m) {
  const double det = m[0] * m[4] - m[1] * m[3];
  const double d = det != 0 ? 1 / det : 0;
  const double a = m[4] * d, b = -m[1] * d, e = -m[3] * d, f = m[0] * d;
  return {a, b, -a * m[2] - b * m[5], e, f, -e * m[2] - f * m[5]};
}

Matrix33 inverse(const Matrix33& m) {
  Matrix33 adjugate{
      m[4] * m[8] - m[5] * m[7], m[2] * m[7] - m[1] * m[8], m[1] * m[5] - m[2] * m[4],
      m[5] * m[6] - m[3] * m[8], m[0] * m[8] - m[2] * m[6], m[2] * m[3] - m[0] * m[5],
      m[3] * m[7] - m[4] * m[6], m[1] * m[6] - m[0] * m[7], m[0] * m[4] - m[1] * m[3]};
  const double det = m[0] * adjugate[0] + m[1] * adjugate[3] + m[2] * adjugate[6];
  for (double& v : adjugate) v = det != 0 ? v / det : 0;
  return adjugate;
}

Matrix33 product(const Matrix33& a, const Matrix33& b) {
  Matrix33 out{};
  for (size_t i = 0; i < 3; ++i)
    for (size_t j = 0; j < 3; ++j)
      for (size_t k = 0; k < 3; ++k) out[3 * i + j] += a[3 * i + k] * b[3 * k + j];
  return out;
}

Point transformed(const Matrix23& m, const Point& p) {
  return {m[0] * p[0] + m[1] * p[1] + m[2], m[3] * p[0] + m[4] * p[1] + m[5]};
}

Tensor transformed(const Matrix23& m, const Tensor& points) {
  Tensor out = points.clone();
  const int64_t C = points.size(-1);
  float* p = out.data<float>();
  for (int64_t i = 0; i < out.numel(); i += C) {
    const Point moved = transformed(m, Point{p[i], p[i + 1]});
    p[i] = float(moved[0]);
    p[i + 1] = float(moved[1]);
  }
  return out;
}

Tensor transformed(const Matrix33& m, const Tensor& points) {
  Tensor out = points.clone();
  const int64_t C = points.size(-1);
  float* p = out.data<float>();
  for (int64_t i = 0; i < out.numel(); i += C) {
    const double x = p[i], y = p[i + 1], w = m[6] * x + m[7] * y + m[8];
    p[i] = float((m[0] * x + m[1] * y + m[2]) / w);
    p[i + 1] = float((m[3] * x + m[4] * y + m[5]) / w);
  }
  return out;
}

}  // namespace limber
