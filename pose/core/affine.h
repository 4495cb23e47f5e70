// Planar maps between the three spaces of a sample: the image, the network's input, the output.
// Matrices are row-major doubles that act on column vectors (x, y, 1). Angles are degrees.
#pragma once

#include <array>

#include "tensor/tensor.h"

namespace limber {

using Matrix23 = std::array<double, 6>;
using Matrix33 = std::array<double, 9>;
using Point = std::array<double, 2>;

// Image to input for the box (center, scale) turned by `rotation`: centre to centre, width to
// width, and the third of three point pairs perpendicular to the first two (`fix_aspect_ratio`) or
// the middle of the box's upper edge. `shift` moves the centre by fractions of scale. `inverse`
// gives input to image.
struct WarpOptions {
  Point shift{0, 0};
  bool inverse = false;
  bool fix_aspect_ratio = true;
};
Matrix23 warp_matrix(const Point& center, const Point& scale, double rotation,
                     const std::array<int, 2>& output_size, const WarpOptions& options = {});

// The unbiased form, which maps the centres of the outermost pixels onto each other (Huang et al.
// 2020, arXiv 1911.07524). output_size need not be whole.
Matrix23 udp_warp_matrix(const Point& center, const Point& scale, double rotation,
                         const Point& output_size);

// T(translate + center) * shear * rotation * scale * T(-center), as the one-stage detectors warp.
Matrix33 perspective_matrix(const Point& center, const Point& translate, double scale,
                            double rotation, const Point& shear);

Matrix23 inverse(const Matrix23& m);
Matrix33 inverse(const Matrix33& m);
Matrix33 product(const Matrix33& a, const Matrix33& b);

Point transformed(const Matrix23& m, const Point& p);
// The first two of every C >= 2 numbers of a (..., C) f32 tensor; a copy.
Tensor transformed(const Matrix23& m, const Tensor& points);
Tensor transformed(const Matrix33& m, const Tensor& points);

}  // namespace limber
