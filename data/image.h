// Images as tensors: u8 (H, W, C) on the host, channels B, G, R (or one channel), rows from top to
// bottom; f32 images have the same layout. Reading follows what cv2.imread gives for
// IMREAD_COLOR: always three channels, alpha dropped, 16 bit cut to 8, EXIF orientation applied.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace limber {

// Larger images are refused: a file of a few bytes can claim any size.
constexpr int64_t kMaxImageSide = int64_t(1) << 20;
constexpr int64_t kMaxImagePixels = int64_t(1) << 28;

// By the file's first bytes, not its name. Throws InputError naming the file when it is missing,
// not JPEG or PNG, damaged, cut short or absurdly large.
Tensor read_image(const std::string& path);
// `name` stands for the file in errors.
Tensor decode_image(std::span<const uint8_t> bytes, const std::string& name);
Tensor decode_jpeg(std::span<const uint8_t> bytes, const std::string& name);
Tensor decode_png(std::span<const uint8_t> bytes, const std::string& name);

struct Rectangle {
  int left = 0, top = 0, width = 0, height = 0;
};

// {W, H} by the header of a JPEG that decode_jpeg_part() takes: baseline or one scan of another
// kind, upright, not CMYK, with its end mark. Throws InputError as decode_jpeg() does.
std::optional<std::array<int, 2>> size_of_divisible_jpeg(std::span<const uint8_t> bytes,
                                                         const std::string& name);
// The pixels of decode_jpeg() inside of a rectangle that lies in the picture, without the work for
// most of the others. Throws InputError where decode_jpeg() does.
Tensor decode_jpeg_part(std::span<const uint8_t> bytes, const std::string& name,
                        const Rectangle& part);

// A picture in a file, of which no more is decoded than somebody wants to see. What cannot be
// decoded in parts is decoded when the file is opened.
class ImageFile {
 public:
  // Throws InputError as read_image() does, but for damage behind a JPEG's header, which part()
  // finds.
  explicit ImageFile(std::string path);

  std::array<int, 2> size() const { return size_; }  // W, H

  struct Part {
    Tensor pixels;  // (height, width, 3)
    int left = 0, top = 0;
  };
  // At least these pixels, which lie in the picture.
  Part part(const Rectangle& wanted) const;

 private:
  std::string path_;
  std::vector<uint8_t> bytes_;
  Tensor whole_;  // undefined: parts are decoded from bytes_
  std::array<int, 2> size_{};
};

// image: u8 (H, W, 3) or (H, W, 1). quality: 1 to 100, 4:2:0 chroma below 90, none subsampled
// above.
std::vector<uint8_t> encode_jpeg(const Tensor& image, int quality = 95);
std::vector<uint8_t> encode_png(const Tensor& image);
// JPEG or PNG by the name's ending. Throws InputError naming the file when it cannot be written.
void write_image(const std::string& path, const Tensor& image, int quality = 95);

// The whole file. Throws InputError naming it.
std::vector<uint8_t> read_bytes(const std::string& path);

// The EXIF orientation tag (1 to 8) of an APP1 segment's body, 1 when there is none.
int exif_orientation(std::span<const uint8_t> app1);
// Turned and mirrored as that tag asks. image: u8 (H, W, C).
Tensor oriented(const Tensor& image, int orientation);

// Throws unless t is u8 (H, W, C).
void check_image(const Tensor& t, const char* what);

}  // namespace limber
