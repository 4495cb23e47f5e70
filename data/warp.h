// Geometric image operations with OpenCV's numbers. Images are (H, W, C), u8 or f32; results are
// new tensors. The coordinates of an integer pixel are its centre.
#pragma once

#include <array>

#include "data/image.h"
#include "pose/core/affine.h"
#include "tensor/tensor.h"

namespace limber {

enum class Sampling { nearest, bilinear, bicubic, area };

// What lies outside of an image, per channel.
using Border = std::array<double, 4>;
constexpr Border kBlack{0, 0, 0, 0};

// out(x, y) = image(m^-1 (x, y)), out (H, W, C) of size {W, H}. Bilinear weights are rounded to
// 1/32 pixel as OpenCV does. Nearest and bilinear only.
Tensor warp_affine(const Tensor& image, const Matrix23& m, const std::array<int, 2>& size,
                   const Border& border = kBlack, Sampling sampling = Sampling::bilinear);
// The same, bilinear and black outside, of a file's picture that is mirrored first; decodes no more
// of it than that needs. Throws InputError naming the file when it is damaged.
Tensor warp_affine(const ImageFile& file, bool mirrored_x, bool mirrored_y, const Matrix23& m,
                   const std::array<int, 2>& size);
Tensor warp_perspective(const Tensor& image, const Matrix33& m, const std::array<int, 2>& size,
                        const Border& border = kBlack);

// size: {W, H}. f32 images: nearest and bilinear only.
Tensor resize_image(const Tensor& image, const std::array<int, 2>& size,
                    Sampling sampling = Sampling::bilinear);

enum class FlipDirection { horizontal, vertical, diagonal };
Tensor flip_image(const Tensor& image, FlipDirection direction);

// (x, y) of the upper left corner and {W, H}; must lie inside.
Tensor crop_image(const Tensor& image, int x, int y, const std::array<int, 2>& size);
// An image of one colour. size: {W, H}.
Tensor blank_image(const std::array<int, 2>& size, int channels, const Border& colour);
// Copies `from` into `to` with its upper left corner at (x, y); what falls outside is dropped.
void paste_image(const Tensor& from, const Tensor& to, int x, int y);

}  // namespace limber
