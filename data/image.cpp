#include "data/image.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace limber {
namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

uint32_t read_number(std::span<const uint8_t> at, int bytes, bool big) {
  uint32_t value = 0;
  for (int i = 0; i < bytes; ++i)
    value |= uint32_t(at[size_t(i)]) << (8 * (big ? bytes - 1 - i : i));
  return value;
}

bool is_jpeg(std::span<const uint8_t> bytes) {
  return bytes.size() >= 3 && bytes[0] == 0xFF && bytes[1] == 0xD8 && bytes[2] == 0xFF;
}

}  // namespace

std::vector<uint8_t> read_bytes(const std::string& path) {
  File file(std::fopen(path.c_str(), "rb"), std::fclose);
  check_input(file != nullptr, path, ": cannot open: ", std::strerror(errno));
  std::vector<uint8_t> bytes;
  if (std::fseek(file.get(), 0, SEEK_END) == 0) {
    const long size = std::ftell(file.get());
    std::rewind(file.get());
    check_input(size >= 0 && size < (1L << 40), path, ": not a readable file");
    bytes.resize(size_t(size));
  }
  const size_t got = std::fread(bytes.data(), 1, bytes.size(), file.get());
  check_input(got == bytes.size() && std::ferror(file.get()) == 0, path, ": cannot read");
  return bytes;
}

Tensor decode_image(std::span<const uint8_t> bytes, const std::string& name) {
  constexpr uint8_t png_mark[] = {0x89, 'P', 'N', 'G'};
  if (bytes.size() >= 4 && std::equal(png_mark, png_mark + 4, bytes.begin()))
    return decode_png(bytes, name);
  if (is_jpeg(bytes)) return decode_jpeg(bytes, name);
  fail_input(name, bytes.empty() ? ": empty file" : ": neither a JPEG nor a PNG file");
}

Tensor read_image(const std::string& path) { return decode_image(read_bytes(path), path); }

ImageFile::ImageFile(std::string path) : path_(std::move(path)), bytes_(read_bytes(path_)) {
  if (is_jpeg(bytes_)) {
    if (const auto size = size_of_divisible_jpeg(bytes_, path_)) {
      size_ = *size;
      return;
    }
  }
  whole_ = decode_image(bytes_, path_);
  size_ = {int(whole_.size(1)), int(whole_.size(0))};
  bytes_ = {};
}

ImageFile::Part ImageFile::part(const Rectangle& wanted) const {
  if (whole_.defined()) return {whole_};
  return {decode_jpeg_part(bytes_, path_, wanted), wanted.left, wanted.top};
}

void write_image(const std::string& path, const Tensor& image, int quality) {
  std::string ending = path.substr(std::min(path.size(), path.rfind('.')));
  for (char& c : ending) c = char(std::tolower(uint8_t(c)));
  const bool png = ending == ".png";
  check_input(png || ending == ".jpg" || ending == ".jpeg", path,
              ": images are written as .jpg or .png");
  const std::vector<uint8_t> bytes = png ? encode_png(image) : encode_jpeg(image, quality);
  File file(std::fopen(path.c_str(), "wb"), std::fclose);
  check_input(file != nullptr, path, ": cannot write: ", std::strerror(errno));
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size();
  check_input(std::fclose(file.release()) == 0 && written, path,
              ": cannot write: ", std::strerror(errno));
}

void check_image(const Tensor& t, const char* what) {
  check(t.defined() && t.dtype() == DType::u8 && t.rank() == 3, what,
        ": needs a u8 image (H, W, C)");
}

// The layout is a TIFF header ("II" or "MM", 42, offset of a directory) after "Exif\0\0"; tag
// 0x0112 of the first directory is the orientation.
int exif_orientation(std::span<const uint8_t> app1) {
  if (app1.size() < 14 || std::memcmp(app1.data(), "Exif\0\0", 6) != 0) return 1;
  const auto tiff = app1.subspan(6);
  const bool big = tiff[0] == 'M';
  if (tiff[0] != tiff[1] || (tiff[0] != 'M' && tiff[0] != 'I')) return 1;
  const size_t directory = read_number(tiff.subspan(4), 4, big);
  if (directory + 2 > tiff.size()) return 1;
  const size_t entries = read_number(tiff.subspan(directory), 2, big);
  for (size_t i = 0; i < entries; ++i) {
    const size_t at = directory + 2 + 12 * i;
    if (at + 12 > tiff.size()) return 1;
    if (read_number(tiff.subspan(at), 2, big) != 0x0112) continue;
    const uint32_t value = read_number(tiff.subspan(at + 8), 2, big);
    return value >= 1 && value <= 8 ? int(value) : 1;
  }
  return 1;
}

Tensor oriented(const Tensor& image, int orientation) {
  check_image(image, "orientation");
  if (orientation <= 1 || orientation > 8) return image;
  const int64_t H = image.size(0), W = image.size(1), C = image.size(2);
  const bool transposed = orientation >= 5;
  // 2: mirrored; 3: half turn; 4: upside down; 5: transposed; 6: turned left to be stored;
  // 7: transversed; 8: turned right.
  const bool flip_x = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  const bool flip_y = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  Tensor out = Tensor::empty(transposed ? Shape{W, H, C} : Shape{H, W, C}, DType::u8);
  const uint8_t* from = image.data<uint8_t>();
  uint8_t* to = out.data<uint8_t>();
  const int64_t out_H = out.size(0), out_W = out.size(1);
  for (int64_t y = 0; y < out_H; ++y)
    for (int64_t x = 0; x < out_W; ++x) {
      const int64_t u = flip_x ? out_W - 1 - x : x, v = flip_y ? out_H - 1 - y : y;
      const int64_t source = transposed ? u * W + v : v * W + u;
      std::copy_n(from + source * C, C, to + (y * out_W + x) * C);
    }
  return out;
}

}  // namespace limber
